// When each stream's next keep-alive is due. Internal to host/http/stream.
//
// The interval is cut into slots and one slot is due at a time, so thousands of clients that came
// in the same second are not written to in one burst for ever after.
//
// Thread safety: hub thread only. Ownership: owns nothing; who is added must be removed in time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "host/http/stream/subscriber.hpp"

namespace plexsphere::host::http::detail {

class KeepAliveWheel {
 public:
  using Clock = std::chrono::steady_clock;
  KeepAliveWheel(std::chrono::milliseconds interval, Clock::time_point now);

  // First due after about one interval, earlier when many are due then.
  void add(Subscriber& who);
  void remove(Subscriber& who);
  // When the next slot is due; nullopt while nobody is there.
  std::optional<Clock::time_point> next() const;
  // The members of the slot that is due, if one is, which is not due again for an interval.
  std::vector<Subscriber*> due(Clock::time_point now);

 private:
  std::vector<std::vector<Subscriber*>> slots_;
  Clock::duration step_;
  Clock::time_point next_;
  std::size_t position_ = 0;  // of the slot that is due next
  std::size_t members_ = 0;
};

}  // namespace plexsphere::host::http::detail
