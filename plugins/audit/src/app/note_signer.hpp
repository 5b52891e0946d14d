// Signatures over checkpoints, from px.signing where there is one.
//
// Thread-safe after `use`. Waits for the signer; holds no transaction meanwhile.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "plexsphere/sdk/ports/signing.hpp"
#include "plexsphere/sdk/restore_statement.hpp"
#include "plexsphere/sdk/services.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "store/checkpoint_store.hpp"
#include "store/epoch_store.hpp"

namespace plexsphere::audit {

// A checkpoint, or a statement of a restore, as the signer signed it.
struct SignedText {
  std::string note;
  sdk::PublicKey key;
};

// So many entries of a chain, and the root over them (32 raw bytes).
struct TreeHead {
  std::int64_t size = 0;
  std::string root;
};

// The signer's scope of a chain: "platform" or "domain:<uuid>".
[[nodiscard]] std::string scope_of(const sdk::Uuid& chain);

// Whether what is kept of a checkpoint agrees with itself: the note is of this chain, size and
// root, and signed under the key beside it. Pure.
[[nodiscard]] bool holds(const sdk::Uuid& chain, const StoredCheckpoint& checkpoint);
// What the chain begins after, as its newest checkpoint says; nothing but 0 without one, or of a
// note that does not hold.
[[nodiscard]] sdk::Beginning beginning_of(const sdk::Uuid& chain,
                                          const std::optional<StoredCheckpoint>& newest);
// The same of a declared restore: its statement, or nothing where it does not agree with itself.
[[nodiscard]] std::optional<sdk::RestoreStatement> statement_of(const sdk::Uuid& chain,
                                                                const StoredEpoch& epoch);

class NoteSigner {
 public:
  static constexpr std::chrono::seconds kPatience{30};
  // Between two attempts to make the platform's first key, each of which leaves an audit row.
  static constexpr std::chrono::hours kBetweenFirstKeys{1};

  explicit NoteSigner(sdk::Clock clock) : clock_(clock) {}

  // [init] Until then, and without the port, every `sign` answers "signing_not_provisioned".
  void use(sdk::Signing signing) { signing_ = signing; }
  [[nodiscard]] bool available() const { return signing_.has_value(); }

  // The signed note of the chain's checkpoint; its signature has been verified under the key that
  // came with it. A Domain's first key is made with the Domain, the platform's here.
  // UNAVAILABLE "signing_not_provisioned", "signing_unavailable"; NOT_FOUND "key_not_found";
  // CANCELLED "draining" once `should_stop`; DATA_LOSS "signature_invalid"; FAILED_PRECONDITION
  // "checkpoint_regressed".
  // The checkpoint's origin is the chain's.
  sdk::Result<SignedText> sign(const sdk::Uuid& chain, sdk::Checkpoint checkpoint,
                               const std::function<bool()>& should_stop);
  // The same for a statement; besides FAILED_PRECONDITION "restore_not_permitted".
  sdk::Result<SignedText> sign_restore(const sdk::Uuid& chain, const std::string& statement,
                                       const std::function<bool()>& should_stop);
  // What the signer signed last of the chain. Errors as of sign.
  sdk::Result<sdk::LastCheckpoint> last(const sdk::Uuid& chain,
                                        const std::function<bool()>& should_stop);
  // Whether the signer itself knows this epoch as the present one.
  [[nodiscard]] bool vouches(const sdk::Uuid& chain, const StoredEpoch& epoch,
                             const std::function<bool()>& should_stop);

 private:
  template <typename T>
  sdk::Result<T> with_key(const std::string& scope, const std::function<bool()>& should_stop,
                          const std::function<sdk::Result<T>()>& ask);
  sdk::Result<SignedText> sign_text(const sdk::Uuid& chain, px_signing_purpose purpose,
                                    const std::string& text,
                                    const std::function<bool()>& should_stop);
  sdk::Result<sdk::Signatures> ask(const std::string& scope, px_signing_purpose purpose,
                                   const std::string& text,
                                   const std::function<bool()>& should_stop) const;
  sdk::Status make_first_key(const std::string& scope, const std::function<bool()>& should_stop);

  sdk::Clock clock_;
  std::optional<sdk::Signing> signing_;
  std::mutex mutex_;
  std::optional<std::chrono::nanoseconds> first_key_tried_;  // under mutex_
};

}  // namespace plexsphere::audit
