#include "host/http/pipeline/in_flight.hpp"

#include <cstdint>

#include "host/http/pipeline/exchange.hpp"

namespace plexsphere::host::http::detail {

InFlight::Shard& InFlight::shard(const Exchange* exchange) {
  const auto address = reinterpret_cast<std::uintptr_t>(exchange);
  return shards_[((address >> 6) ^ (address >> 12)) % shards_.size()];
}

void InFlight::add(Exchange* exchange) {
  Shard& home = shard(exchange);
  const std::lock_guard lock(home.mutex);
  // All have the same time from their arrival, so nearly always it is the newest; but one that has
  // waited for its worker may come after younger ones.
  Exchange* before = home.newest;
  while (before != nullptr && exchange->deadline() < before->deadline()) {
    before = before->link_.previous;
  }
  Exchange* after = before == nullptr ? home.oldest : before->link_.next;
  exchange->link_ = {before, after, true};
  (before == nullptr ? home.oldest : before->link_.next) = exchange;
  (after == nullptr ? home.newest : after->link_.previous) = exchange;
  ++home.size;
}

void InFlight::remove(Exchange* exchange) {
  Shard& home = shard(exchange);
  const std::lock_guard lock(home.mutex);
  InFlightLink& link = exchange->link_;
  if (!link.linked) {
    return;
  }
  (link.previous == nullptr ? home.oldest : link.previous->link_.next) = link.next;
  (link.next == nullptr ? home.newest : link.next->link_.previous) = link.previous;
  link = {};
  --home.size;
}

std::size_t InFlight::size() const {
  std::size_t sum = 0;
  for (const auto& home : shards_) {
    const std::lock_guard lock(home.mutex);
    sum += home.size;
  }
  return sum;
}

std::vector<std::shared_ptr<Exchange>> InFlight::expired(
    std::chrono::steady_clock::time_point now) {
  std::vector<std::shared_ptr<Exchange>> out;
  for (auto& home : shards_) {
    const std::lock_guard lock(home.mutex);
    for (Exchange* one = home.oldest; one != nullptr && one->deadline() < now;
         one = one->link_.next) {
      if (auto held = one->weak_from_this().lock()) {
        out.push_back(std::move(held));
      }
    }
  }
  return out;
}

}  // namespace plexsphere::host::http::detail
