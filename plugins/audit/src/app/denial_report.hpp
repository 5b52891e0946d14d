// Writes what DenialCap has counted: every few seconds what is over, at the end what there is.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "app/committer.hpp"
#include "app/denial_cap.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::audit {

// start and stop from one thread; write from any, but not after the committer has stopped.
class DenialReport {
 public:
  static constexpr std::chrono::seconds kEvery{5};

  DenialReport(DenialCap& cap, Committer& committer, sdk::Clock clock, sdk::Log log)
      : cap_(cap), committer_(committer), clock_(clock), log_(log) {}
  DenialReport(const DenialReport&) = delete;
  DenialReport& operator=(const DenialReport&) = delete;
  ~DenialReport() { stop(); }

  void start();
  void stop();
  // Hands over the counts of the windows that are over, or of `all`. A count that is refused is
  // kept for the next time. Does not block.
  void write(bool all);

 private:
  struct Counted {
    DenialReport* report;
    Entry entry;
  };
  static void written(void* ctx, px_status status, px_str reason) noexcept;
  void run();

  DenialCap& cap_;
  Committer& committer_;
  const sdk::Clock clock_;
  const sdk::Log log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // under mutex_
  std::thread thread_;
};

}  // namespace plexsphere::audit
