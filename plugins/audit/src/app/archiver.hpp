// Copies entries to the mirror and stamps them, chain by chain, in order.
//
// The problem: a copy takes as long as the store takes, and jobs share one thread and one session
// with whatever else this replica leads. So the two are apart: the job, which only the leader runs
// and which is fenced, picks entries and writes stamps; a thread of the archiver's own talks to the
// store in between and wakes the job when it is done.
//
// A crash between upload and stamp leaves an object and no stamp. Whoever leads next looks before
// it puts, finds what it would have put, and stamps. An object of that key that says something else
// is never replaced: it is a finding.
//
// Thread safety: run from the job, the rest from any thread; start and stop from one. Owns its
// thread. After a failure it backs off, 1 s to 5 minutes, with jitter, and goes on with what
// failed; after three failures in a row with what comes next, so that one entry holds up no others
// for long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/archive_settings.hpp"
#include "app/mirror.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "store/archive_store.hpp"

namespace plexsphere::audit {

class Archiver {
 public:
  static constexpr std::int64_t kBatch = 64;  // entries of one chain at once
  static constexpr int kInOrder = 3;          // attempts before later entries go ahead
  static constexpr std::chrono::seconds kFirstBackOff{1};
  static constexpr std::chrono::minutes kLongestBackOff{5};

  struct Meters {
    sdk::Metric copied;       // counter
    sdk::Metric failed;       // counter
    sdk::Metric stuck;        // gauge
    sdk::Metric lag_entries;  // gauge, of the leader
    sdk::Metric lag_seconds;  // gauge, of the leader
  };
  struct Parts {
    ArchiveStore store;
    const Verifier& verifier;
    sdk::Egress egress;
    sdk::Clock clock;
    sdk::Log log;
    ArchiveSettings settings;
    std::function<void()> wake;  // asks for a run of the job
    Meters meters;
  };

  explicit Archiver(Parts parts);
  Archiver(const Archiver&) = delete;
  Archiver& operator=(const Archiver&) = delete;
  ~Archiver() { stop(); }

  void start();
  void stop();

  // One turn of the leader: stamps what was copied, hands on what is next. Never waits for the
  // store.
  sdk::Status run(const sdk::JobRun& run);

  // Degraded while the store cannot be reached, an entry cannot be copied, or entries have waited
  // for an hour; as this replica knows it.
  sdk::ProbeResult probe() const;

 private:
  using Time = std::chrono::nanoseconds;  // steady

  struct Batch {
    sdk::Uuid chain;
    std::vector<ArchivedEntry> entries;
  };
  struct Done {
    sdk::Uuid chain;
    std::vector<Stamp> stamps;
  };

  sdk::Status stamp_done(const sdk::JobRun& run);
  sdk::Status pick_next();
  sdk::Status measure();
  // The entries that hold; a finding is reported and kept out.
  std::vector<ArchivedEntry> sound(std::vector<ArchivedEntry> entries);
  void work();
  void copy(const Batch& batch);
  void diverges(const ArchivedEntry& entry, const std::optional<ArchivedEntry>& found);
  void keep_out(const ArchivedEntry& entry, const Divergence& divergence);
  void back_off(const sdk::Error& error, const ArchivedEntry& entry);
  bool stopping() const;

  const Parts parts_;
  const Mirror mirror_;

  // Of the job alone: where it is in its round over the chains.
  sdk::Uuid chain_;
  std::int64_t after_ = 0;  // within chain_
  bool in_chain_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Under mutex_.
  bool stopping_ = true;
  std::optional<Batch> next_;
  bool copying_ = false;
  std::optional<Done> done_;
  int failures_ = 0;                                         // batches in a row
  std::optional<std::pair<sdk::Uuid, std::int64_t>> again_;  // chain, and after which entry
  Time not_before_{0};
  Time measure_at_{0};
  std::string trouble_;  // why the last batch failed; empty: it did not
  std::set<std::pair<sdk::Uuid, std::int64_t>> stuck_;  // entries that cannot be copied
  ArchiveLag lag_;
  std::thread thread_;
};

}  // namespace plexsphere::audit
