// Deadlines of many connections at the price of a list insertion each.
//
// A hashed wheel (Varghese and Lauck, 1987) with one level: an entry whose deadline lies beyond the
// horizon, or was moved while it lay in its slot, is put where it belongs when its slot comes up.
// Postponing a deadline is therefore free, and only bringing one forward touches the wheel.
//
// Thread safety: none, the loop's thread only. Ownership: none of its entries; an entry that is
// destroyed leaves the wheel by itself.
#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>

namespace plexsphere::host::http::engine {

struct WheelEntry
    : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  std::uint32_t slot_tick = 0;  // the wheel's own
};

class TimerWheel {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kTick{100};
  static constexpr std::size_t kSlots = 512;

  TimerWheel() : origin_(Clock::now()) {}

  // Makes `entry` come up at `when` or, if it lies in an earlier slot already, then.
  void schedule(WheelEntry& entry, Clock::time_point when) {
    const std::uint32_t tick = tick_of(when);
    if (entry.is_linked() && entry.slot_tick <= tick) {
      return;
    }
    if (entry.is_linked()) {
      entry.unlink();
    }
    place(entry, tick);
  }

  // Calls `due(entry)` for each entry whose slot has come; the entry is in no slot meanwhile.
  template <typename Due>
  void turn(Clock::time_point now, Due due) {
    const std::uint32_t target = tick_of(now);
    for (; current_ < target; ++current_) {
      Slot ready;
      ready.splice(ready.end(), slots_[current_ % kSlots]);
      while (!ready.empty()) {
        WheelEntry& entry = ready.front();
        ready.pop_front();
        due(entry);
      }
    }
  }

 private:
  using Slot = boost::intrusive::list<WheelEntry, boost::intrusive::constant_time_size<false>>;

  std::uint32_t tick_of(Clock::time_point when) const {
    const auto ticks = (when - origin_) / kTick;
    return ticks <= 0 ? 0 : static_cast<std::uint32_t>(ticks);
  }
  void place(WheelEntry& entry, std::uint32_t tick) {
    const std::uint32_t earliest = current_ + 1;
    const std::uint32_t latest = current_ + kSlots - 1;
    entry.slot_tick = tick < earliest ? earliest : (tick > latest ? latest : tick);
    slots_[entry.slot_tick % kSlots].push_back(entry);
  }

  const Clock::time_point origin_;
  std::uint32_t current_ = 0;
  std::array<Slot, kSlots> slots_;
};

}  // namespace plexsphere::host::http::engine
