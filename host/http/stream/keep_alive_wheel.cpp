#include "host/http/stream/keep_alive_wheel.hpp"

#include <algorithm>

namespace plexsphere::host::http::detail {
namespace {

constexpr std::int64_t kMostSlots = 128;
constexpr std::size_t kCrowd = 128;  // a slot of this many is a burst of about a millisecond

std::size_t slots_for(std::chrono::milliseconds interval) {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(interval.count() / 10, 1, kMostSlots));
}

}  // namespace

KeepAliveWheel::KeepAliveWheel(std::chrono::milliseconds interval, Clock::time_point now)
    : slots_(slots_for(interval)),
      step_(Clock::duration(interval) / static_cast<std::int64_t>(slots_.size())),
      next_(now + step_) {}

void KeepAliveWheel::add(Subscriber& who) {
  const std::size_t count = slots_.size();
  const std::size_t fair = std::max(kCrowd, 2 * members_ / count);
  std::size_t slot = (position_ + count - 1) % count;  // due last of all
  for (std::size_t tried = 0; tried < count && slots_[slot].size() >= fair; ++tried) {
    slot = (slot + count - 1) % count;
  }
  who.slot = static_cast<std::uint32_t>(slot);
  who.slot_position = static_cast<std::uint32_t>(slots_[slot].size());
  slots_[slot].push_back(&who);
  ++members_;
}

void KeepAliveWheel::remove(Subscriber& who) {
  auto& slot = slots_[who.slot];
  slot[who.slot_position] = slot.back();
  slot[who.slot_position]->slot_position = who.slot_position;
  slot.pop_back();
  --members_;
}

std::optional<KeepAliveWheel::Clock::time_point> KeepAliveWheel::next() const {
  return members_ == 0 ? std::nullopt : std::optional(next_);
}

std::vector<Subscriber*> KeepAliveWheel::due(Clock::time_point now) {
  if (now < next_) {
    return {};
  }
  // After a pause (nobody there, or a long fan-out) the lost time is not made up for.
  next_ = std::max(next_ + step_, now + step_ / 2);
  const std::size_t slot = position_;
  position_ = (position_ + 1) % slots_.size();
  return slots_[slot];
}

}  // namespace plexsphere::host::http::detail
