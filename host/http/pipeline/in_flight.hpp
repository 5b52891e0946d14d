// Requests without an answer, so that their deadline can be watched. Internal to host/http.
//
// Thread safety: all members from any thread. Ownership: none; an exchange takes itself out before
// it is gone.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

namespace plexsphere::host::http::detail {

class Exchange;

// What an exchange carries to be in the list. Belongs to InFlight.
struct InFlightLink {
  Exchange* previous = nullptr;
  Exchange* next = nullptr;
  bool linked = false;
};

class InFlight {
 public:
  void add(Exchange* exchange);
  void remove(Exchange* exchange);
  std::size_t size() const;
  // Those whose deadline lies before `now`. They are kept in the order of their deadlines, so the
  // search ends at the first that still has some time.
  std::vector<std::shared_ptr<Exchange>> expired(std::chrono::steady_clock::time_point now);

 private:
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    Exchange* oldest = nullptr;
    Exchange* newest = nullptr;
    std::size_t size = 0;
  };
  Shard& shard(const Exchange* exchange);

  std::array<Shard, 16> shards_;
};

}  // namespace plexsphere::host::http::detail
