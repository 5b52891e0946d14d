// What px.signing/1 promises, over the signer's channel and the core's own record of key sets.
//
// Thread safety: any thread after construction. Completions run on the service's own threads, never
// on gRPC's. Ownership: views of channel and store, which outlive it; owns its threads.
// Invariants: a key set is believed only if the pinned document key verifies it; it is stored
// before anybody is told of it; a rotation is on the audit record before the signer is asked; every
// answer of the signer is on the audit record before it is used.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/accounts.hpp"
#include "app/task_pool.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/services.hpp"
#include "rpc/signer_channel.hpp"
#include "store/key_set_store.hpp"

namespace plexsphere::signing_client {

// A key set as signed and as read.
struct KnownKeySet {
  SignedDocument document;
  KeySetView set;
};

struct KeyServiceParts {
  SignerChannel& channel;
  const KeySetStore& store;
  sdk::Audit audit;
  sdk::Clock clock;
  sdk::Log log;
  std::chrono::milliseconds cache;  // how long a stored key set is taken for the newest
};

class KeyService {
 public:
  template <class T>
  using Done = std::function<void(const sdk::Result<T>&)>;

  explicit KeyService(KeyServiceParts parts);

  // The active key of the scope. NOT_FOUND "key_not_found"; UNAVAILABLE "signing_unavailable" when
  // the record cannot be read. Blocks on the database at most.
  [[nodiscard]] sdk::Result<KeyView> active_key(const std::string& scope);

  // `done` comes exactly once, also when the service stops. RESOURCE_EXHAUSTED
  // "signing_overloaded" when too many are waiting.
  void sign(SignCall call, Done<SignAnswer> done);
  // What the signer signed last of the scope's log. Errors as of sign.
  void last_checkpoint(std::string scope, Done<LastAnswer> done);
  // A first key on an empty scope, a rotation elsewhere; the new key when it is on record.
  void open_rotation(std::string scope, Done<KeyView> done);
  // The key that signs from then on. FAILED_PRECONDITION "no_open_rotation".
  void close_rotation(std::string scope, Done<KeyView> done);

  // Finishes what was taken, then takes nothing more.
  void stop();

 private:
  using Continue = std::function<void(sdk::Result<KnownKeySet>)>;

  [[nodiscard]] sdk::Result<std::optional<KnownKeySet>> newest(const std::string& scope,
                                                               bool use_cache);
  [[nodiscard]] sdk::Result<KnownKeySet> existing(const std::string& scope);
  [[nodiscard]] sdk::Result<std::string> trusted_key(std::string_view offered);
  [[nodiscard]] sdk::Result<KnownKeySet> accept(const std::string& scope,
                                                const SignedDocument& document);
  void remember(const KnownKeySet& known);

  void sign_with(const KnownKeySet& known, SignCall call, bool may_retry, Done<SignAnswer> done);
  void signed_under(const KnownKeySet& known, const SignCall& call, bool may_retry,
                    sdk::Result<SignAnswer> answer, Done<SignAnswer> done);
  void last_with(const KnownKeySet& known, bool may_retry, const Done<LastAnswer>& done);
  void sign_caught_up(const SignCall& call, const Done<SignAnswer>& done);
  void catch_up(const std::string& scope, Continue then);
  void record(const std::string& scope, const char* action, std::function<void(sdk::Status)> then);
  // A completion for the channel: puts the call on the audit record and goes on with its result on
  // one of our threads, or with the reason why the result may not be used.
  template <class T>
  SignerChannel::Done<T> accounted(Act act, std::function<void(sdk::Result<T>)> then);
  void open_recorded(const std::string& scope, bool may_retry, const Done<KeyView>& done);
  void close_recorded(const std::string& scope, bool may_retry, const Done<KeyView>& done);
  void rotated(const std::string& scope, const sdk::Result<SignedDocument>& document,
               const Continue& behind, const Done<KeyView>& done);
  // Runs `task` on an own thread, or `refused` here when stopping.
  void later(TaskPool::Task task, const TaskPool::Task& refused);
  [[nodiscard]] std::string new_key_id() const;

  struct Cached {
    KnownKeySet known;
    std::chrono::nanoseconds read_at;
  };

  KeyServiceParts parts_;
  Accounts accounts_;
  std::atomic<int> in_flight_{0};  // signatures being waited for, at most 1024
  std::mutex lock_;
  std::map<std::string, Cached> cache_;      // guarded by lock_; at most kMaxCached scopes
  std::optional<std::string> document_key_;  // guarded by lock_
  TaskPool pool_;
};

}  // namespace plexsphere::signing_client
