// What became of the operations of a load: how many, how long, and what failed.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "bench/support/histogram.hpp"

namespace plexsphere::sim {

class OperationLog {
 public:
  // Runs it on the calling thread. False when it threw: that is a failure, counted and told.
  bool run(const std::string& name, const std::function<void()>& operation);
  // A failure that no exception told; the first ones of each operation are written to stderr.
  void fail(const std::string& name, const std::string& why);
  // The server asked to come back, which is no failure.
  void come_back(const std::string& name);

  std::uint64_t failed() const;
  // {"<name>":{"count":…,"failed":…,"come_back":…,"p50_ms":…,"p99_ms":…}}; latencies are those of
  // successes.
  nlohmann::json summary() const;

 private:
  struct Operation {
    std::uint64_t failed = 0;
    std::uint64_t come_back = 0;
    bench::Histogram latencies;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Operation> operations_;  // under mutex_
  std::uint64_t failed_ = 0;                     // under mutex_
};

}  // namespace plexsphere::sim
