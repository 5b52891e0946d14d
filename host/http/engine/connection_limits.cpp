#include "host/http/engine/connection_limits.hpp"

namespace plexsphere::host::http::engine {

struct ConnectionLimits::Slot {
  Slot(std::shared_ptr<ConnectionLimits> o, std::string p)
      : owner(std::move(o)), counted_peer(std::move(p)) {}
  ~Slot() { owner->release(counted_peer); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  std::shared_ptr<ConnectionLimits> owner;
  std::string counted_peer;  // empty: not counted by address
};

ConnectionLimits::ConnectionLimits(std::size_t total, std::size_t per_address,
                                   std::function<bool(std::string_view)> is_proxy)
    : total_(total), per_address_(per_address), is_proxy_(std::move(is_proxy)) {}

std::shared_ptr<void> ConnectionLimits::take(const std::string& peer) {
  if (++taken_ > total_) {
    --taken_;
    ++refused_;
    return nullptr;
  }
  const bool by_address = per_address_ > 0 && !peer.empty() && !(is_proxy_ && is_proxy_(peer));
  if (by_address && !count(peer)) {
    --taken_;
    ++refused_;
    return nullptr;
  }
  return std::make_shared<Slot>(shared_from_this(), by_address ? peer : std::string());
}

bool ConnectionLimits::count(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  auto& used = by_address_[peer];
  if (used >= per_address_) {
    return false;
  }
  ++used;
  return true;
}

void ConnectionLimits::release(const std::string& peer) noexcept {
  --taken_;
  if (peer.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(peer);
  if (found != by_address_.end() && --found->second == 0) {
    by_address_.erase(found);
  }
}

}  // namespace plexsphere::host::http::engine
