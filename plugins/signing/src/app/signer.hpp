// The signer's operations.
//
// Thread safety: all operations may be called concurrently. Ownership: the provider and the memory
// are the caller's and outlive the signer. Invariants: no private key leaves the provider; no
// signature is made under a key set older than one seen; nothing is signed that was not read in
// full as a message of its purpose; a new key set is remembered durably before it is handed out;
// the checkpoints signed in a scope never get smaller, and none of a size gets another root, but
// by a restore that the signer's operator has permitted.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/checkpoint_guard.hpp"
#include "app/key_provider.hpp"
#include "app/key_set_memory.hpp"
#include "domain/key_set.hpp"
#include "domain/message_check.hpp"
#include "domain/scope.hpp"

namespace plexsphere::signing {

struct SignerSettings {
  Profile profile = Profile::kSelfhostedSingle;
  // Between opening and closing a rotation; 10 minutes to 30 days.
  std::chrono::seconds overlap = std::chrono::days(7);
  // Whether key sets and checkpoints of scopes this instance has never seen are believed.
  bool adopt = false;
};

class Signer {
 public:
  struct Signed {
    std::string key_id;
    PublicKey public_key{};
    std::vector<Signature> signatures;
    std::uint64_t key_set_number = 0;
  };
  struct KeyView {
    KeyEntry key;
    PublicKey public_key{};
    bool cached = false;
    SignedDocument key_set;
  };
  struct Opened {
    std::string old_key_id;
    std::string new_key_id;
    UnixSeconds opened_at{};
    UnixSeconds closes_at{};
    SignedDocument key_set;
  };
  // What a caller hands in: nothing on a scope without keys.
  using Handed = std::optional<SignedDocument>;
  // Gives the present time; injected so that windows can be tested.
  using Clock = std::function<UnixSeconds()>;
  // Told of events an operator should read: a stable name and a text without secrets.
  using Notice = std::function<void(std::string_view event, std::string_view text)>;

  // Fetches the document key; fails when the provider is away.
  static Outcome<std::unique_ptr<Signer>> create(SignerSettings settings, KeyProvider& provider,
                                                 KeySetMemory& memory, Clock clock, Notice notice);

  // Signs 1 to 256 messages, 2 MiB together, all or none. An empty key id means the active key.
  [[nodiscard]] Outcome<Signed> sign(std::string_view scope, std::string_view key_id,
                                     Purpose purpose, const std::vector<std::string_view>& messages,
                                     const Handed& handed);

  // The largest checkpoint signed in the scope; epoch 0 where the next one is believed unseen.
  [[nodiscard]] Outcome<SeenCheckpoint> last_checkpoint(std::string_view scope,
                                                        const Handed& handed);

  // The key, and the newer of the key set handed in and the one remembered. Changes nothing.
  [[nodiscard]] Outcome<KeyView> public_key(std::string_view scope, std::string_view key_id,
                                            Purpose purpose, const Handed& handed);

  [[nodiscard]] Outcome<Opened> open_rotation(std::string_view scope, std::string_view new_key_id,
                                              const Handed& handed);

  // Before the window has passed only when forced, which leaves a notice.
  [[nodiscard]] Outcome<SignedDocument> close_rotation(std::string_view scope,
                                                       std::string_view old_key_id,
                                                       std::string_view new_key_id, bool force,
                                                       const Handed& handed);

 private:
  struct Known {
    KeySet set;
    SignedDocument document;
  };

  Signer(SignerSettings settings, KeyProvider& provider, KeySetMemory& memory, Clock clock,
         Notice notice, PublicKey document_key);

  [[nodiscard]] Outcome<Scope> admit(std::string_view scope) const;
  [[nodiscard]] Outcome<KeySet> verify(const Scope& scope, const SignedDocument& handed) const;
  // The newest key set seen of the scope; null when there is none. Valid until the lock is
  // released.
  [[nodiscard]] Outcome<const Known*> recall_locked(const Scope& scope);
  [[nodiscard]] Outcome<KeySet> accept_locked(const Scope& scope, const Handed& handed);
  [[nodiscard]] Outcome<SignedDocument> publish_locked(const KeySet& set);
  [[nodiscard]] Outcome<Done> guard(Purpose purpose, const Scope& scope,
                                    const std::vector<std::string_view>& messages);
  [[nodiscard]] Outcome<KeyEntry> make_key(const Scope& scope, std::string_view key_id);

  const SignerSettings settings_;
  KeyProvider& provider_;
  KeySetMemory& memory_;
  const Clock clock_;
  const Notice notice_;
  const PublicKey document_key_;

  std::mutex lock_;
  std::unordered_map<std::string, Known> seen_;  // guarded by lock_; what memory_ holds, read once
  CheckpointGuard checkpoints_;                  // may be called while lock_ is held
};

}  // namespace plexsphere::signing
