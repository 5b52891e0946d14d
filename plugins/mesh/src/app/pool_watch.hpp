// Shows operators how full address pools are: gauges of the fullest ones, and a log line when a
// pool has passed a threshold or is below it again.
//
// Gauges are labelled by rank and never by Domain: their number is fixed however many Domains come
// and go, and the log line, the event and the fullest pool's rank lead to the Domain. The lines
// follow what is committed, so a registration that was rolled back is in none; a process that
// begins to lead the job says once what stands past a threshold.
//
// Thread safety: declare at configure, then one thread at a time: the job's.
#pragma once

#include <array>
#include <map>
#include <string>
#include <utility>

#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/pool_store.hpp"

namespace plexsphere::mesh {

class PoolWatch {
 public:
  static constexpr std::size_t kRanks = 10;
  // The fullest pools that lines are written of; the numbers past each threshold count all.
  static constexpr std::int64_t kMostPools = 100;

  explicit PoolWatch(sdk::Log log) : log_(log) {}
  PoolWatch(const PoolWatch&) = delete;
  PoolWatch& operator=(const PoolWatch&) = delete;

  sdk::Status declare(const sdk::Store& store, const sdk::Metrics& metrics);
  sdk::Status run(const sdk::JobRun& job);
  // Reads in `tx` and shows what it finds.
  sdk::Status look(const sdk::Transaction& tx);

 private:
  struct Gauges {
    sdk::Metric ratio, used, capacity;
  };
  using Alarms = std::map<std::pair<sdk::Uuid, std::string>, std::int64_t>;

  void show(const PoolSummary& summary) const;
  void tell(const PoolSummary& summary);

  const sdk::Log log_;
  PoolStore pools_;
  std::array<Gauges, kRanks> ranks_;
  sdk::Metric all_, past_80_, past_95_;
  Alarms told_;  // percent by pool
};

}  // namespace plexsphere::mesh
