// Reads every chain for as long as the process runs, so that tampering is found without anybody
// asking: each chain whole once, in batches with a rest after each; then, round by round, what was
// appended since and a stretch of what was read before, further on each time.
//
// What it has read it remembers in this process: the last number and hash of each chain. Whoever
// rewrites a chain with all its hashes, or sets it back to an earlier point, changes the database
// and not this memory, and is found at the next round. Signed checkpoints are held against the
// entries on the way; they remember for longer than a process does. A chain that was restored to an
// earlier point is read anew, if the signer itself vouches for the statement that declares it.
//
// Thread safety: start and stop from one thread, the rest from any. Owns its thread. What did
// not hold is read again in each round, until it does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "app/checkpoint_check.hpp"
#include "app/note_signer.hpp"
#include "app/subject_check.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"
#include "store/epoch_store.hpp"

namespace plexsphere::audit {

class ChainWatch {
 public:
  struct Pace {
    std::chrono::milliseconds between_rounds;
    std::int64_t entries_per_second;  // at most; each batch is followed by the rest of its time
  };
  struct Meters {
    sdk::Metric entries;  // counter
    sdk::Metric broken;   // gauge
  };
  static constexpr std::int64_t kBatch = 2'048;  // entries of one read transaction
  static constexpr std::int64_t kSample = 512;   // entries read again in each round, per chain
  static constexpr std::int64_t kSubjects = 64;  // subjects looked at in each round, per chain

  ChainWatch(AuditStore store, CheckpointStore checkpoints, EpochStore epochs,
             SubjectCheck subjects, NoteSigner& signer, const Verifier& verifier, sdk::Log log,
             Pace pace, Meters meters)
      : store_(std::move(store)),
        check_(std::move(checkpoints)),
        epochs_(std::move(epochs)),
        subjects_(std::move(subjects)),
        signer_(signer),
        verifier_(verifier),
        log_(log),
        pace_(pace),
        meters_(meters) {}
  ChainWatch(const ChainWatch&) = delete;
  ChainWatch& operator=(const ChainWatch&) = delete;
  ~ChainWatch() { stop(); }

  void start();
  void stop();
  // One look at every chain, on the caller's thread: what the watch's own does again and again.
  // Not between start and stop.
  void round();

  struct Broken {
    std::size_t chains = 0;
    std::string first;  // chain, number and finding of one of them
  };
  Broken broken() const;
  bool is_broken(const sdk::Uuid& chain) const;
  // The chains that go on from an earlier point, as declared; empty when there is none.
  std::string restored() const;

 private:
  // What was read of one chain.
  struct Seen {
    std::int64_t seq = 0;
    std::string hash;  // of `seq`
    std::int64_t sampled = 0;
    std::string subject;  // pseudonym of the one that was looked at last
    std::int64_t epoch = 1;
    std::int64_t begins = 0;  // entries up to it may have left
    bool whole = false;       // it was read to its end once
    std::uint64_t round = 0;  // in which its head was last listed
    CheckpointCheck::Seen checkpoints;
  };

  // kAway: the process stops, or the database is away.
  enum class Look { kHolds, kBroken, kAway };

  void run();
  // False when the database is away.
  bool read_epochs();
  // Starts anew with a chain whose restore was declared since it was read.
  void follow(const sdk::Uuid& chain, Seen& seen);
  // Passes over entries that have left, as the newest checkpoint says.
  Look skip(const sdk::Uuid& chain, Seen& seen);
  Look look(const sdk::Uuid& chain, Seen& seen, std::int64_t head);
  // Whether the head is not before what was read.
  Look look_at_head(const sdk::Uuid& chain, const Seen& seen, std::int64_t head);
  // Whether the entry that was read last is still what it was.
  Look look_back(const sdk::Uuid& chain, const Seen& seen);
  Look read_tail(const sdk::Uuid& chain, Seen& seen, std::int64_t head);
  Look read_sample(const sdk::Uuid& chain, Seen& seen);
  Look check_checkpoints(const sdk::Uuid& chain, Seen& seen);
  Look check_subjects(const sdk::Uuid& chain, Seen& seen);
  // Reports what was found, if it was.
  Look outcome(const sdk::Uuid& chain, const sdk::Result<std::optional<Divergence>>& found);
  // Reads from..to and reports what does not hold; `reached` is how far it does. `batch` is for
  // entries that come next.
  Look read(const sdk::Uuid& chain, std::int64_t from, std::int64_t to, Seen& reached,
            CheckpointCheck::Batch* batch);
  void found(const sdk::Uuid& chain, const Divergence& divergence);
  void clear(const sdk::Uuid& chain);
  // False when the process stops meanwhile.
  bool rest(std::chrono::nanoseconds time);
  bool stopping() const;

  const AuditStore store_;
  const CheckpointCheck check_;
  const EpochStore epochs_;
  const SubjectCheck subjects_;
  NoteSigner& signer_;
  const Verifier& verifier_;
  const sdk::Log log_;
  const Pace pace_;
  const Meters meters_;

  std::map<sdk::Uuid, Seen> seen_;  // these three on the thread only
  std::map<sdk::Uuid, StoredEpoch> epochs_now_;
  std::uint64_t round_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // these three under mutex_
  std::string restored_;
  std::map<sdk::Uuid, std::string> broken_;  // number and finding
  std::thread thread_;
};

}  // namespace plexsphere::audit
