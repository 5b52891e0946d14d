// When API tokens were last used, kept without a write per request: a use is remembered only when
// the one on record is a minute old, and what is remembered is written in one statement every two
// seconds, on a thread of its own. So a token costs at most one row version a minute, and a request
// one look at a clock. A crash loses up to two seconds of uses.
//
// Thread safety: note from any thread; start and stop by one. Bounded: `kCapacity` tokens between
// two writes; a use beyond that is left for the token's next request.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "plexsphere/sdk/services.hpp"
#include "store/operator_store.hpp"

namespace plexsphere::identity {

class LastUse {
 public:
  static constexpr std::chrono::minutes kGranularity{1};
  static constexpr std::chrono::seconds kWriteEvery{2};
  static constexpr std::size_t kCapacity = 16'384;

  using Write = std::function<sdk::Status(std::span<const TokenUse>)>;

  LastUse(Write write, sdk::Log log) : write_(std::move(write)), log_(log) {}
  ~LastUse() { stop(); }
  LastUse(const LastUse&) = delete;
  LastUse& operator=(const LastUse&) = delete;

  // `recorded`: the last use on record, as it was read within the last second.
  void note(const sdk::Uuid& token_id, sdk::Instant now,
            const std::optional<sdk::Instant>& recorded);
  void start();
  // Writes what is left, then joins.
  void stop();
  // Writes what is remembered; the thread does it.
  void flush();

 private:
  void run();

  const Write write_;
  const sdk::Log log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::unordered_map<sdk::Uuid, sdk::Instant> pending_;  // under mutex_
  bool running_ = false;                                 // under mutex_
  std::thread thread_;
};

}  // namespace plexsphere::identity
