// Puts every call to the signer on the audit record, with its place in the signer's journal.
//
// A signature that no audit row accounts for shows as a place that no row has. So each call that
// the signer answered, or refused, leaves one row, and nobody is given the answer before the row is
// durable. A place whose row could not be written rides in the next row that can; calls whose
// answer never came are counted there, for they may have a place that this process was not told of.
//
// Thread safety: any thread. Ownership: a view of px.audit.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "domain/journal_watch.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::signing_client {

// The row of a call. Relations: "signing.sign", "signing.checkpoint" (a signature on a checkpoint,
// apart so that the row of a checkpoint is no reason for another one), "signing.public_key",
// "signing.restore", "signing.last_checkpoint", "signing.open_rotation_call",
// "signing.close_rotation_call".
struct Act {
  std::string relation;
  std::string scope;
  std::string key_id;   // empty: not known
  std::string refused;  // the reason; empty: it was done
};

// A row of this process's doing about `object_type` and `object_id`, in the chain of the scope.
[[nodiscard]] sdk::AuditEntry scope_entry(const std::string& scope, std::string relation,
                                          std::string object_type, std::string object_id);

class Accounts {
 public:
  // Places that wait for a row. Of more, the oldest is dropped with an error line that names it.
  static constexpr std::size_t kMaxOwed = 1024;
  // Places of earlier calls that one row carries.
  static constexpr std::size_t kMaxOwedInRow = 32;

  Accounts(sdk::Audit audit, sdk::Log log) : audit_(audit), log_(log) {}

  // Puts a row on the audit record; `then` comes exactly once, on any thread.
  void record(const sdk::AuditEntry& entry, std::function<void(const sdk::Status&)> then);

  // To be taken before a call goes out.
  [[nodiscard]] JournalWatch::Before before() const;

  // `then` comes exactly once, with OK when the answer may be used. DATA_LOSS
  // "signing_journal_regressed" when the journal did not move forward (the row is written all the
  // same), or px.audit's reason when the row could not be written.
  void settle(const Act& act, const JournalWatch::Before& before, const JournalPlace& place,
              std::function<void(const sdk::Status&)> then);

  // Waits until every row asked for so far has been written or refused, and `then` is over.
  void wait_idle();

 private:
  struct Owed {
    std::deque<std::string> steps;
    std::uint64_t unanswered = 0;
  };

  [[nodiscard]] sdk::Status judge(const JournalWatch::Before& before, const JournalMark& mark);
  [[nodiscard]] Owed take_owed();
  void give_back(Owed owed);

  const sdk::Audit audit_;
  const sdk::Log log_;
  mutable std::mutex lock_;
  std::condition_variable idle_;
  std::size_t running_ = 0;  // guarded by lock_; rows being written
  JournalWatch watch_;       // guarded by lock_
  Owed owed_;                // guarded by lock_
};

}  // namespace plexsphere::signing_client
