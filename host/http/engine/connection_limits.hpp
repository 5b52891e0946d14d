// How many connections there may be, in all and from one address (an IPv6 /64).
//
// Thread safety: all members from any thread. Ownership: shared with every slot it gave out.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace plexsphere::host::http::engine {

class ConnectionLimits : public std::enable_shared_from_this<ConnectionLimits> {
 public:
  // `per_address` 0: no such limit. An address for which `is_proxy` holds stands for many clients
  // and is exempt from it, and so is the empty address of a unix socket.
  ConnectionLimits(std::size_t total, std::size_t per_address,
                   std::function<bool(std::string_view)> is_proxy);

  enum class Limit : unsigned char { kTotal, kAddress };
  // The right to one connection, for as long as the result lives; or the limit that is reached.
  std::variant<std::shared_ptr<void>, Limit> take(const std::string& peer);
  std::size_t taken() const noexcept { return taken_; }
  std::size_t refused(Limit limit) const noexcept {
    return limit == Limit::kTotal ? refused_in_total_ : refused_by_address_;
  }

 private:
  struct Slot;
  using Network = std::uint64_t;  // see network_key
  // Null: not counted by address.
  std::optional<Network> counted_as(const std::string& peer) const;
  bool count(Network network);
  void release(std::optional<Network> network) noexcept;

  const std::size_t total_;
  const std::size_t per_address_;
  const std::function<bool(std::string_view)> is_proxy_;
  std::atomic<std::size_t> taken_{0};
  std::atomic<std::size_t> refused_in_total_{0};
  std::atomic<std::size_t> refused_by_address_{0};
  std::mutex mutex_;
  std::map<Network, std::size_t> by_network_;  // only those with a connection
};

}  // namespace plexsphere::host::http::engine
