#include "app/signer.hpp"

#include <sodium.h>

#include <memory>
#include <span>

#include "domain/key_set_document.hpp"

namespace plexsphere::signing {
namespace {

std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Outcome<Done> check_batch(const std::vector<std::string_view>& messages) {
  std::size_t total = 0;
  for (const std::string_view message : messages) {
    total += message.size();
  }
  if (messages.empty() || messages.size() > kMaxMessages || total > kMaxTotalBytes) {
    return Fault{FaultKind::kInvariantViolation,
                 "a call signs 1 to 256 messages of at most 2097152 bytes together"};
  }
  return Done{};
}

}  // namespace

Outcome<std::unique_ptr<Signer>> Signer::create(SignerSettings settings, KeyProvider& provider,
                                                KeySetMemory& memory, Clock clock, Notice notice) {
  const Outcome<PublicKey> document_key = provider.generate(document_key_name());
  if (!document_key.ok()) {
    return document_key.fault();
  }
  return std::unique_ptr<Signer>(new Signer(settings, provider, memory, std::move(clock),
                                            std::move(notice), document_key.value()));
}

Signer::Signer(SignerSettings settings, KeyProvider& provider, KeySetMemory& memory, Clock clock,
               Notice notice, PublicKey document_key)
    : settings_(settings),
      provider_(provider),
      memory_(memory),
      clock_(std::move(clock)),
      notice_(std::move(notice)),
      document_key_(document_key),
      checkpoints_(memory, settings.adopt, notice_) {}

Outcome<Scope> Signer::admit(std::string_view text) const {
  Outcome<Scope> scope = Scope::parse(text);
  if (!scope.ok()) {
    return scope;
  }
  if (const Outcome<Done> allowed = check_profile(settings_.profile, scope.value());
      !allowed.ok()) {
    notice_("signing_scope_refused", allowed.fault().cause);
    return allowed.fault();
  }
  return scope;
}

Outcome<KeySet> Signer::verify(const Scope& scope, const SignedDocument& handed) const {
  const auto bytes = as_bytes(handed.document);
  if (crypto_sign_verify_detached(handed.signature.data(), bytes.data(), bytes.size(),
                                  document_key_.data()) != 0) {
    return Fault{FaultKind::kKeySetRejected, "the key set is not signed by this signer"};
  }
  Outcome<KeySet> set = parse_key_set(handed.document);
  if (set.ok() && set.value().scope() != scope) {
    return Fault{FaultKind::kScopeMismatch, "the key set belongs to another scope"};
  }
  return set;
}

Outcome<const Signer::Known*> Signer::recall_locked(const Scope& scope) {
  if (const auto found = seen_.find(scope.text()); found != seen_.end()) {
    return &found->second;
  }
  const Outcome<std::optional<SignedDocument>> stored = memory_.recall(scope);
  if (!stored.ok()) {
    return stored.fault();
  }
  if (!stored.value()) {
    return nullptr;
  }
  const Outcome<KeySet> set = verify(scope, *stored.value());
  if (!set.ok()) {
    return Fault{FaultKind::kInternal,
                 "the remembered key set of " + scope.text() + " is damaged: " + set.fault().cause};
  }
  const auto [kept, inserted] =
      seen_.insert_or_assign(scope.text(), Known{set.value(), *stored.value()});
  return &kept->second;
}

// Decides whether the handed key set may be worked with: it must be ours, no older than what was
// seen, and equal to it where the numbers are equal (two sets of one number are a fork).
Outcome<KeySet> Signer::accept_locked(const Scope& scope, const Handed& handed) {
  const Outcome<const Known*> recalled = recall_locked(scope);
  if (!recalled.ok()) {
    return recalled.fault();
  }
  const Known* known = recalled.value();
  if (!handed && !known) {
    return KeySet(scope);
  }
  if (handed && known && *handed == known->document) {
    return known->set;  // verified when it was first seen
  }
  const Fault superseded{FaultKind::kKeySetSuperseded,
                         "a newer key set of " + scope.text() +
                             " has been seen; fetch it with PublicKey and try again"};
  if (!handed) {
    return superseded;
  }
  Outcome<KeySet> set = verify(scope, *handed);
  if (!set.ok()) {
    return set;
  }
  if (known && set.value().number() <= known->set.number()) {
    return superseded;
  }
  if (!known && !settings_.adopt) {
    return Fault{FaultKind::kMemoryEmpty,
                 "this instance remembers no key set of " + scope.text() +
                     "; if its state was lost or it is a new replica, set adopt = true"};
  }
  if (!known) {
    notice_("signing_key_set_adopted", "key set " + std::to_string(set.value().number()) + " of " +
                                           scope.text() + " taken without having seen another");
  }
  if (const Outcome<Done> kept = memory_.remember(scope, *handed); !kept.ok()) {
    return kept.fault();
  }
  seen_.insert_or_assign(scope.text(), Known{set.value(), *handed});
  return set;
}

Outcome<SignedDocument> Signer::publish_locked(const KeySet& set) {
  SignedDocument signed_set;
  signed_set.document = encode_key_set(set);
  signed_set.document_key = document_key_;
  const Outcome<Signature> signature =
      provider_.sign(document_key_name(), as_bytes(signed_set.document));
  if (!signature.ok()) {
    return signature.fault();
  }
  signed_set.signature = signature.value();
  if (const Outcome<Done> kept = memory_.remember(set.scope(), signed_set); !kept.ok()) {
    return kept.fault();
  }
  seen_.insert_or_assign(set.scope().text(), Known{set, signed_set});
  return signed_set;
}

Outcome<KeyEntry> Signer::make_key(const Scope& scope, std::string_view key_id) {
  KeyEntry entry;
  entry.key_id = std::string(key_id);
  for (const Purpose purpose : {Purpose::kEvents, Purpose::kCheckpoints}) {
    const Outcome<PublicKey> made =
        provider_.generate({std::string(purpose_name(purpose)), scope.text(), entry.key_id});
    if (!made.ok()) {
      return made.fault();
    }
    (purpose == Purpose::kEvents ? entry.events : entry.checkpoints) = made.value();
  }
  return entry;
}

Outcome<Signer::Signed> Signer::sign(std::string_view scope_text, std::string_view key_id,
                                     Purpose purpose, const std::vector<std::string_view>& messages,
                                     const Handed& handed) {
  const Outcome<Scope> scope = admit(scope_text);
  if (!scope.ok()) {
    return scope.fault();
  }
  if (const Outcome<Done> batch = check_batch(messages); !batch.ok()) {
    return batch.fault();
  }
  const Outcome<KeySet> set = [&] {
    const std::lock_guard guard(lock_);
    return accept_locked(scope.value(), handed);
  }();
  if (!set.ok()) {
    return set.fault();
  }
  const Outcome<KeyEntry> key = set.value().signing_key(key_id);
  if (!key.ok()) {
    return key.fault();
  }
  for (const std::string_view message : messages) {
    const Outcome<Done> fits = check_message(purpose, message, scope.value(), key.value().key_id);
    if (!fits.ok()) {
      return fits.fault();
    }
  }
  if (const Outcome<Done> guarded = guard(purpose, scope.value(), messages); !guarded.ok()) {
    return guarded.fault();
  }
  Signed result{key.value().key_id, key.value().public_key(purpose), {}, set.value().number()};
  result.signatures.reserve(messages.size());
  const KeyName name{std::string(purpose_name(purpose)), scope.value().text(), key.value().key_id};
  for (const std::string_view message : messages) {
    const Outcome<Signature> signature = provider_.sign(name, as_bytes(message));
    if (!signature.ok()) {
      return signature.fault();
    }
    result.signatures.push_back(signature.value());
  }
  return result;
}

// Whether what was signed before lets these messages be signed.
Outcome<Done> Signer::guard(Purpose purpose, const Scope& scope,
                            const std::vector<std::string_view>& messages) {
  if (purpose == Purpose::kEvents) {
    return Done{};
  }
  if (purpose == Purpose::kCheckpoints) {
    return checkpoints_.advance(scope, messages);
  }
  if (messages.size() != 1) {
    return Fault{FaultKind::kInvariantViolation, "a call signs one restore statement"};
  }
  return checkpoints_.restore(scope, messages.front());
}

Outcome<SeenCheckpoint> Signer::last_checkpoint(std::string_view scope_text, const Handed& handed) {
  const Outcome<Scope> scope = admit(scope_text);
  if (!scope.ok()) {
    return scope.fault();
  }
  {
    const std::lock_guard guard(lock_);
    const Outcome<KeySet> set = accept_locked(scope.value(), handed);
    if (!set.ok() || set.value().number() == 0) {
      return set.ok() ? Fault{FaultKind::kKeyNotFound,
                              "scope " + scope.value().text() + " has no key yet"}
                      : set.fault();
    }
  }
  return checkpoints_.last(scope.value());
}

Outcome<Signer::KeyView> Signer::public_key(std::string_view scope_text, std::string_view key_id,
                                            Purpose purpose, const Handed& handed) {
  const Outcome<Scope> scope = admit(scope_text);
  if (!scope.ok()) {
    return scope.fault();
  }
  std::optional<Known> newest;
  if (handed) {
    Outcome<KeySet> set = verify(scope.value(), *handed);
    if (!set.ok()) {
      return set.fault();
    }
    newest = Known{std::move(set).value(), *handed};
  }
  {
    const std::lock_guard guard(lock_);
    const Outcome<const Known*> known = recall_locked(scope.value());
    if (!known.ok()) {
      return known.fault();
    }
    if (known.value() && (!newest || known.value()->set.number() >= newest->set.number())) {
      newest = *known.value();
    }
  }
  if (!newest) {
    return Fault{FaultKind::kKeyNotFound, "scope " + scope.value().text() + " has no key yet"};
  }
  const Outcome<KeyEntry> key = key_id.empty() ? newest->set.active() : newest->set.find(key_id);
  if (!key.ok()) {
    return key.fault();
  }
  const Outcome<PublicKey> live = provider_.public_key(
      {std::string(purpose_name(purpose)), scope.value().text(), key.value().key_id});
  return KeyView{key.value(), live.ok() ? live.value() : key.value().public_key(purpose),
                 !live.ok(), newest->document};
}

Outcome<Signer::Opened> Signer::open_rotation(std::string_view scope_text,
                                              std::string_view new_key_id, const Handed& handed) {
  const Outcome<Scope> scope = admit(scope_text);
  if (!scope.ok()) {
    return scope.fault();
  }
  const std::lock_guard guard(lock_);
  const Outcome<KeySet> set = accept_locked(scope.value(), handed);
  if (!set.ok()) {
    return set.fault();
  }
  if (const Outcome<Done> allowed = set.value().can_open(new_key_id); !allowed.ok()) {
    return allowed.fault();
  }
  const Outcome<KeyEntry> fresh = make_key(scope.value(), new_key_id);
  if (!fresh.ok()) {
    return fresh.fault();
  }
  if (set.value().number() == 0) {
    if (const Outcome<Done> begun = checkpoints_.begin(scope.value()); !begun.ok()) {
      return begun.fault();
    }
  }
  const UnixSeconds now = clock_();
  const Outcome<KeySet> next = set.value().open(fresh.value(), now, settings_.overlap);
  if (!next.ok()) {
    return next.fault();
  }
  Outcome<SignedDocument> published = publish_locked(next.value());
  if (!published.ok()) {
    return published.fault();
  }
  const std::optional<Rotation>& rotation = next.value().rotation();
  notice_("signing_rotation_opened",
          "scope " + scope.value().text() + " now signs with key " + std::string(new_key_id));
  return Opened{rotation ? rotation->old_key_id : std::string(), std::string(new_key_id),
                rotation ? rotation->opened_at : now, rotation ? rotation->closes_at : now,
                std::move(published).value()};
}

Outcome<SignedDocument> Signer::close_rotation(std::string_view scope_text,
                                               std::string_view old_key_id,
                                               std::string_view new_key_id, bool force,
                                               const Handed& handed) {
  const Outcome<Scope> scope = admit(scope_text);
  if (!scope.ok()) {
    return scope.fault();
  }
  const std::lock_guard guard(lock_);
  const Outcome<KeySet> set = accept_locked(scope.value(), handed);
  if (!set.ok()) {
    return set.fault();
  }
  const Outcome<KeySet> next = set.value().close(old_key_id, new_key_id, clock_(), force);
  if (!next.ok()) {
    return next.fault();
  }
  if (next.value() == set.value()) {
    return *handed;  // closed before: only a set with keys gets here, and it was handed in
  }
  Outcome<SignedDocument> published = publish_locked(next.value());
  if (published.ok()) {
    for (const Purpose purpose : {Purpose::kEvents, Purpose::kCheckpoints}) {
      provider_.retire(
          {std::string(purpose_name(purpose)), scope.value().text(), std::string(old_key_id)});
    }
    notice_(force ? "signing_rotation_forced_closed" : "signing_rotation_closed",
            "scope " + scope.value().text() + " retired key " + std::string(old_key_id));
  }
  return published;
}

}  // namespace plexsphere::signing
