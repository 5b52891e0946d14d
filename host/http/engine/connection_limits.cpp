#include "host/http/engine/connection_limits.hpp"

#include "host/http/ip_address.hpp"

namespace plexsphere::host::http::engine {

struct ConnectionLimits::Slot {
  Slot(std::shared_ptr<ConnectionLimits> o, std::optional<Network> n)
      : owner(std::move(o)), counted(n) {}
  ~Slot() { owner->release(counted); }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  std::shared_ptr<ConnectionLimits> owner;
  std::optional<Network> counted;
};

ConnectionLimits::ConnectionLimits(std::size_t total, std::size_t per_address,
                                   std::function<bool(std::string_view)> is_proxy)
    : total_(total), per_address_(per_address), is_proxy_(std::move(is_proxy)) {}

std::variant<std::shared_ptr<void>, ConnectionLimits::Limit> ConnectionLimits::take(
    const std::string& peer) {
  if (++taken_ > total_) {
    --taken_;
    ++refused_in_total_;
    return Limit::kTotal;
  }
  const auto network = counted_as(peer);
  if (network && !count(*network)) {
    --taken_;
    ++refused_by_address_;
    return Limit::kAddress;
  }
  return std::make_shared<Slot>(shared_from_this(), network);
}

std::optional<ConnectionLimits::Network> ConnectionLimits::counted_as(
    const std::string& peer) const {
  if (per_address_ == 0 || (is_proxy_ && is_proxy_(peer))) {
    return std::nullopt;
  }
  return network_key(peer);
}

bool ConnectionLimits::count(Network network) {
  const std::lock_guard lock(mutex_);
  auto& used = by_network_[network];
  if (used >= per_address_) {
    return false;
  }
  ++used;
  return true;
}

void ConnectionLimits::release(std::optional<Network> network) noexcept {
  --taken_;
  if (!network) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto found = by_network_.find(*network);
  if (found != by_network_.end() && --found->second == 0) {
    by_network_.erase(found);
  }
}

}  // namespace plexsphere::host::http::engine
