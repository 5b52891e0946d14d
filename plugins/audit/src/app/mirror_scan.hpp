// Reads objects of the mirror back and holds them, hashes and content, against the entries they are
// copies of; a few of each chain in a round, further on each time, so that every object comes
// round.
//
// An object is wrong when it is gone, cannot be read, does not prove itself, or says something else
// than the entry, or when the store calls it otherwise than the entry's stamp does. A copy of an
// entry that is not there, and that follows from the end of a chain, is of one that was cut off.
// That is kept in the quarantine, and looked at again first in each round of whoever leads, until
// it is right again. Objects past their retention may be gone.
//
// Thread safety: run from the job, the rest from any thread; start and stop from one. Owns its
// thread, which alone talks to the store: the job only says that it is time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app/mirror.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "store/archive_store.hpp"

namespace plexsphere::audit {

class MirrorScan {
 public:
  static constexpr std::int64_t kSample = 16;  // objects of one chain in a round
  static constexpr std::size_t kMost = 256;    // objects in a round, besides those that were wrong

  struct Meters {
    sdk::Metric checked;   // counter
    sdk::Metric diverged;  // gauge, of the leader
  };
  struct Parts {
    ArchiveStore store;
    AuditStore chains;
    const Verifier& verifier;
    sdk::Egress egress;
    sdk::Clock clock;
    sdk::Log log;
    ArchiveSettings settings;
    Meters meters;
  };

  explicit MirrorScan(Parts parts);
  MirrorScan(const MirrorScan&) = delete;
  MirrorScan& operator=(const MirrorScan&) = delete;
  ~MirrorScan() { stop(); }

  void start();
  void stop();
  // It is time for a round, if none is under way.
  sdk::Status run(const sdk::JobRun& run);

  struct Broken {
    std::size_t objects = 0;
    std::string first;  // chain and number of one of them
  };
  Broken broken() const;

 private:
  using Key = std::pair<sdk::Uuid, std::int64_t>;

  void work();
  void round();
  // False when the store or the database did not answer, or the process stops.
  bool check_chains(std::size_t budget);
  bool check(const std::vector<ArchivedCopy>& copies);
  bool look_beyond(const sdk::Uuid& chain, std::int64_t head);
  void found(const ArchivedEntry& entry, const std::optional<ArchivedEntry>& object);
  void clear(const Key& key);
  bool stopping() const;

  const Parts parts_;
  const Mirror mirror_;

  // On the thread only: where the next round goes on, and what was cut off at the last look.
  sdk::Uuid chain_;
  std::map<sdk::Uuid, std::int64_t> after_;
  std::map<sdk::Uuid, std::int64_t> cut_off_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = true;  // these three under mutex_
  bool wanted_ = false;
  std::set<Key> broken_;
  std::thread thread_;
};

}  // namespace plexsphere::audit
