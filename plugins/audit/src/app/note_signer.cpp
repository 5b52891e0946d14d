#include "app/note_signer.hpp"

#include <sodium.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <utility>

#include "app/digest.hpp"
#include "app/entry.hpp"
#include "plexsphere/sdk/checkpoint.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Result;
using sdk::Status;

constexpr std::string_view kPlatformScope = "platform";
constexpr std::chrono::milliseconds kAskEvery{50};  // whether to stop

// One answer that comes on another thread, perhaps after nobody waits any more. Owned by who waits
// and by the completion.
template <typename T>
class Awaited {
 public:
  void answer(const Result<T>& result) {
    const std::lock_guard lock(mutex_);
    result_ = result;
    changed_.notify_all();
  }

  Result<T> wait(std::chrono::milliseconds limit, const std::function<bool()>& should_stop) {
    std::unique_lock lock(mutex_);
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!changed_.wait_for(lock, kAskEvery, [this] { return result_.has_value(); })) {
      if (should_stop()) {
        return Error{Code::cancelled, "draining", "The core is shutting down."};
      }
      if (std::chrono::steady_clock::now() >= end) {
        return Error{Code::unavailable, "signing_unavailable", "The signer does not answer."};
      }
    }
    return *result_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Result<T>> result_;
};

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

bool verifies(const std::string& signature, const std::string& text, const std::string& key) {
  return signature.size() == crypto_sign_BYTES && key.size() == crypto_sign_PUBLICKEYBYTES &&
         crypto_sign_verify_detached(raw(signature), raw(text), text.size(), raw(key)) == 0;
}

}  // namespace

std::string scope_of(const sdk::Uuid& chain) {
  return chain == platform_anchor() ? std::string(kPlatformScope) : "domain:" + chain.text();
}

namespace {

// The note's text, if it is signed under the key.
std::optional<std::string> text_signed(const sdk::Uuid& chain, const std::string& note,
                                       const std::string& key) {
  const auto read = sdk::parse_note(note);
  if (!read) {
    return std::nullopt;
  }
  const auto* signature =
      sdk::signature_by(&sha256, *read, {sdk::checkpoint::origin_of(scope_of(chain)), key});
  return signature != nullptr && verifies(signature->signature, read->text, key)
             ? std::optional(read->text)
             : std::nullopt;
}

}  // namespace

bool holds(const sdk::Uuid& chain, const StoredCheckpoint& checkpoint) {
  const auto text = text_signed(chain, checkpoint.note, checkpoint.public_key);
  const auto said = text ? sdk::parse_checkpoint(*text) : std::nullopt;
  return said && said->origin == sdk::checkpoint::origin_of(scope_of(chain)) &&
         said->size == static_cast<std::uint64_t>(checkpoint.size) && said->root == checkpoint.root;
}

sdk::Beginning beginning_of(const sdk::Uuid& chain, const std::optional<StoredCheckpoint>& newest) {
  if (!newest || newest->note.find("\nbegins ") == std::string::npos || !holds(chain, *newest)) {
    return {};
  }
  return sdk::parse_checkpoint(sdk::parse_note(newest->note)->text)->begins;
}

std::optional<sdk::RestoreStatement> statement_of(const sdk::Uuid& chain,
                                                  const StoredEpoch& epoch) {
  const auto text = text_signed(chain, epoch.note, epoch.public_key);
  auto said = text ? sdk::parse_restore(*text) : std::nullopt;
  const bool agrees = said && said->origin == sdk::checkpoint::origin_of(scope_of(chain)) &&
                      said->epoch == static_cast<std::uint64_t>(epoch.epoch) &&
                      said->before.size == static_cast<std::uint64_t>(epoch.before_size) &&
                      said->after.size == static_cast<std::uint64_t>(epoch.after_size);
  return agrees ? std::move(said) : std::nullopt;
}

Result<SignedText> NoteSigner::sign(const sdk::Uuid& chain, sdk::Checkpoint checkpoint,
                                    const std::function<bool()>& should_stop) {
  checkpoint.origin = sdk::checkpoint::origin_of(scope_of(chain));
  return sign_text(chain, PX_SIGN_CHECKPOINT, sdk::checkpoint_text(checkpoint), should_stop);
}

Result<SignedText> NoteSigner::sign_restore(const sdk::Uuid& chain, const std::string& statement,
                                            const std::function<bool()>& should_stop) {
  return sign_text(chain, PX_SIGN_RESTORE, statement, should_stop);
}

bool NoteSigner::vouches(const sdk::Uuid& chain, const StoredEpoch& epoch,
                         const std::function<bool()>& should_stop) {
  const auto said = statement_of(chain, epoch);
  if (!said) {
    return false;
  }
  const auto known = last(chain, should_stop);
  return known.ok() && known->epoch == said->epoch &&
         (known->restore.empty() || known->restore == sha256(sdk::restore_text(*said)));
}

Result<sdk::LastCheckpoint> NoteSigner::last(const sdk::Uuid& chain,
                                             const std::function<bool()>& should_stop) {
  const std::string scope = scope_of(chain);
  return with_key<sdk::LastCheckpoint>(scope, should_stop, [&] {
    const auto awaited = std::make_shared<Awaited<sdk::LastCheckpoint>>();
    signing_->last_checkpoint(
        scope, [awaited](const Result<sdk::LastCheckpoint>& last) { awaited->answer(last); });
    return awaited->wait(kPatience, should_stop);
  });
}

// What `ask` answers; once more where the platform had no key, and has one now.
template <typename T>
Result<T> NoteSigner::with_key(const std::string& scope, const std::function<bool()>& should_stop,
                               const std::function<Result<T>()>& ask) {
  if (!available()) {
    return Error{Code::unavailable, "signing_not_provisioned",
                 "No context that provides px.signing/1 is enabled."};
  }
  auto answer = ask();
  if (answer.ok() || answer.error().reason != "key_not_found" || scope != kPlatformScope) {
    return answer;
  }
  if (auto made = make_first_key(scope, should_stop); !made.ok()) {
    return made.error();
  }
  return ask();
}

Result<SignedText> NoteSigner::sign_text(const sdk::Uuid& chain, px_signing_purpose purpose,
                                         const std::string& text,
                                         const std::function<bool()>& should_stop) {
  const std::string scope = scope_of(chain);
  const auto answer = with_key<sdk::Signatures>(
      scope, should_stop, [&] { return ask(scope, purpose, text, should_stop); });
  if (!answer.ok()) {
    return answer.error();
  }
  const sdk::PublicKey& key = answer->key;
  if (answer->signatures.size() != 1 || !verifies(answer->signatures[0], text, key.key)) {
    return Error{Code::data_loss, "signature_invalid",
                 "What the signer gave for scope " + scope + " is not its signature."};
  }
  const std::string origin = sdk::checkpoint::origin_of(scope);
  const std::string id = sdk::note_key_id(&sha256, {origin, key.key});
  return SignedText{sdk::note_text({text, {{origin, id, answer->signatures[0]}}}), key};
}

Result<sdk::Signatures> NoteSigner::ask(const std::string& scope, px_signing_purpose purpose,
                                        const std::string& text,
                                        const std::function<bool()>& should_stop) const {
  const auto awaited = std::make_shared<Awaited<sdk::Signatures>>();
  const std::array<std::string, 1> messages{text};
  signing_->sign(scope, purpose, {}, messages,
                 [awaited](const Result<sdk::Signatures>& result) { awaited->answer(result); });
  return awaited->wait(kPatience, should_stop);
}

// The platform's key has no creator of its own, as a Domain's has. A profile that forbids the scope
// refuses each attempt.
Status NoteSigner::make_first_key(const std::string& scope,
                                  const std::function<bool()>& should_stop) {
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady();
    if (first_key_tried_ && now - *first_key_tried_ < kBetweenFirstKeys) {
      return Error{Code::not_found, "key_not_found", "Scope " + scope + " has no signing key."};
    }
    first_key_tried_ = now;
  }
  const auto awaited = std::make_shared<Awaited<sdk::PublicKey>>();
  signing_->open_rotation(scope,
                          [awaited](const Result<sdk::PublicKey>& key) { awaited->answer(key); });
  const auto key = awaited->wait(kPatience, should_stop);
  return key.ok() ? Status() : Status(key.error());
}

}  // namespace plexsphere::audit
