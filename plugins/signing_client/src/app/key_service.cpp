#include "app/key_service.hpp"

#include <array>
#include <type_traits>

#include "app/document_check.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::signing_client {
namespace {

constexpr std::size_t kThreads = 2;
constexpr std::size_t kMaxCached = 10'000;
constexpr int kMaxInFlight = 1024;
constexpr std::size_t kKeyIdRandomBytes = 5;  // eight base32 characters

sdk::Error stopping() {
  return {sdk::Code::cancelled, "draining", "The core is shutting down."};
}

// Whatever keeps the record from being read or written, to a caller signing is unavailable.
sdk::Error unavailable(const sdk::Error& cause) {
  if (cause.code == sdk::Code::data_loss) {
    return cause;  // a fork or a forged document is no outage and must not look like one
  }
  return {sdk::Code::unavailable, "signing_unavailable",
          "Signing keys cannot be read at the moment."};
}

// What only an operator can mend at the signer is, to a caller, signing that is unavailable.
sdk::Error refusal(const sdk::Error& error, const sdk::Log& log, const std::string& scope) {
  const bool checkpoint = error.reason == "checkpoint_not_adopted";
  if (!checkpoint && error.reason != "key_set_not_adopted" && error.reason != "key_set_rejected") {
    return error;
  }
  log.error(
      checkpoint ? "signing_checkpoint_not_taken_by_signer" : "signing_key_set_not_taken_by_signer",
      {{"scope", scope}, {"reason", error.reason}, {"detail", error.detail}});
  return {sdk::Code::unavailable, "signing_unavailable",
          checkpoint ? "The signer does not take our checkpoint."
                     : "The signer does not take our key set."};
}

const char* relation_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::kEvents:
      return "signing.sign";
    case Purpose::kCheckpoints:
      return "signing.checkpoint";
    case Purpose::kRestores:
      break;
  }
  return "signing.restore";
}

bool superseded(const sdk::Error& error) {
  return error.reason == "key_set_superseded";
}

sdk::Result<KeyView> active_of(const sdk::Result<KnownKeySet>& known) {
  return known.ok() ? sdk::Result<KeyView>(known->set.active())
                    : sdk::Result<KeyView>(known.error());
}

sdk::Error no_key(const std::string& scope) {
  return {sdk::Code::not_found, "key_not_found", "Scope " + scope + " has no signing key."};
}

}  // namespace

KeyService::KeyService(KeyServiceParts parts)
    : parts_(std::move(parts)), accounts_(parts_.audit, parts_.log), pool_(kThreads) {}

// What the signer answered is still put on record and told; what is asked for after that is
// refused, and its rows are waited for as well.
void KeyService::stop() {
  accounts_.wait_idle();
  pool_.stop();
  accounts_.wait_idle();
}

void KeyService::later(TaskPool::Task task, const TaskPool::Task& refused) {
  if (!pool_.post(std::move(task))) {
    refused();
  }
}

sdk::Result<KeyView> KeyService::active_key(const std::string& scope) {
  return active_of(existing(scope));
}

// --- the record ---

sdk::Result<std::string> KeyService::trusted_key(std::string_view offered) {
  {
    const std::lock_guard guard(lock_);
    if (document_key_) {
      return *document_key_;
    }
  }
  auto pinned = parts_.store.pin(offered);
  if (pinned.ok()) {
    const std::lock_guard guard(lock_);
    document_key_ = *pinned;
  }
  return pinned;
}

sdk::Result<std::optional<KnownKeySet>> KeyService::newest(const std::string& scope,
                                                           bool use_cache) {
  if (use_cache) {
    const std::lock_guard guard(lock_);
    const auto at = cache_.find(scope);
    if (at != cache_.end() && parts_.clock.steady() - at->second.read_at < parts_.cache) {
      return std::optional(at->second.known);
    }
  }
  auto stored = parts_.store.newest(scope);
  if (!stored.ok()) {
    return unavailable(stored.error());
  }
  if (!*stored) {
    return std::optional<KnownKeySet>();
  }
  auto key = trusted_key((*stored)->document_key);
  if (!key.ok()) {
    return unavailable(key.error());
  }
  auto set = check_document(scope, **stored, *key);
  if (!set.ok()) {
    parts_.log.error("signing_key_set_refused", {{"scope", scope}, {"detail", set.error().detail}});
    return set.error();
  }
  KnownKeySet known{std::move(**stored), std::move(*set)};
  remember(known);
  return std::optional(std::move(known));
}

sdk::Result<KnownKeySet> KeyService::existing(const std::string& scope) {
  auto known = newest(scope, true);
  if (!known.ok()) {
    return known.error();
  }
  return *known ? sdk::Result<KnownKeySet>(std::move(**known))
                : sdk::Result<KnownKeySet>(no_key(scope));
}

void KeyService::remember(const KnownKeySet& known) {
  const std::lock_guard guard(lock_);
  if (cache_.size() >= kMaxCached) {
    cache_.clear();  // rare, and costs one read of each scope still in use
  }
  const auto at = cache_.find(known.set.scope);
  if (at == cache_.end() || at->second.known.set.number <= known.set.number) {
    cache_.insert_or_assign(known.set.scope, Cached{known, parts_.clock.steady()});
  }
}

// Checks, stores and remembers a document that the signer gave.
sdk::Result<KnownKeySet> KeyService::accept(const std::string& scope,
                                            const SignedDocument& document) {
  auto key = trusted_key(document.document_key);
  if (!key.ok()) {
    return unavailable(key.error());
  }
  auto set = check_document(scope, document, *key);
  if (!set.ok()) {
    parts_.log.error("signing_key_set_refused", {{"scope", scope}, {"detail", set.error().detail}});
    return set.error();
  }
  if (const sdk::Status kept = parts_.store.keep(document, *set); !kept.ok()) {
    parts_.log.error("signing_key_set_not_kept",
                     {{"scope", scope}, {"reason", kept.error().reason}});
    return unavailable(kept.error());
  }
  KnownKeySet known{document, std::move(*set)};
  remember(known);
  return known;
}

template <class T>
SignerChannel::Done<T> KeyService::accounted(Act act, std::function<void(sdk::Result<T>)> then) {
  return [this, act = std::move(act), before = accounts_.before(), then = std::move(then)](
             sdk::Result<T> result, const JournalPlace& place) {
    Act done = act;
    if (!result.ok()) {
      done.refused = result.error().reason;
    } else if constexpr (std::is_same_v<T, SignAnswer>) {
      done.key_id = result->key_id;
    }
    accounts_.settle(done, before, place, [this, result, then](const sdk::Status& settled) {
      later([=] { then(settled.ok() ? result : sdk::Result<T>(settled.error())); },
            [then] { then(stopping()); });
    });
  };
}

// --- signing ---

void KeyService::sign(SignCall call, Done<SignAnswer> caller) {
  if (++in_flight_ > kMaxInFlight) {
    --in_flight_;
    caller(sdk::Error{sdk::Code::resource_exhausted, "signing_overloaded",
                      "Too many signatures are being waited for; try again."});
    return;
  }
  const Done<SignAnswer> done = [this, caller = std::move(caller)](const auto& answer) {
    --in_flight_;
    caller(answer);
  };
  later(
      [this, call = std::move(call), done] {
        const auto known = existing(call.scope);
        if (known.ok()) {
          sign_with(*known, call, true, done);
        } else if (known.error().code == sdk::Code::not_found) {
          sign_caught_up(call, done);  // the answer that told of the key may have been lost
        } else {
          done(known.error());
        }
      },
      [done] { done(stopping()); });
}

void KeyService::sign_caught_up(const SignCall& call, const Done<SignAnswer>& done) {
  catch_up(call.scope, [this, call, done](const sdk::Result<KnownKeySet>& newer) {
    if (newer.ok()) {
      sign_with(*newer, call, false, done);
    } else {
      done(newer.error());
    }
  });
}

void KeyService::sign_with(const KnownKeySet& known, SignCall call, bool may_retry,
                           Done<SignAnswer> done) {
  parts_.channel.sign(
      call, known.document,
      accounted<SignAnswer>({relation_of(call.purpose), call.scope, call.key_id, {}},
                            [this, known, call, may_retry, done](sdk::Result<SignAnswer> answer) {
                              signed_under(known, call, may_retry, std::move(answer), done);
                            }));
}

// A signer that has seen a newer key set says so; then the core catches up, once.
void KeyService::signed_under(const KnownKeySet& known, const SignCall& call, bool may_retry,
                              sdk::Result<SignAnswer> answer, Done<SignAnswer> done) {
  if (!answer.ok()) {
    if (superseded(answer.error()) && may_retry) {
      sign_caught_up(call, done);
    } else {
      done(refusal(answer.error(), parts_.log, call.scope));
    }
    return;
  }
  for (const KeyView& key : known.set.keys) {
    if (key.key_id == answer->key_id && key.public_key(call.purpose) == answer->public_key) {
      done(answer);
      return;
    }
  }
  done(sdk::Error{sdk::Code::unavailable, "signing_unavailable",
                  "The signer used a key that its key set does not hold."});
}

// --- what was signed last ---

void KeyService::last_checkpoint(std::string scope, Done<LastAnswer> done) {
  later(
      [this, scope = std::move(scope), done] {
        const auto known = existing(scope);
        known.ok() ? last_with(*known, true, done) : done(known.error());
      },
      [done] { done(stopping()); });
}

void KeyService::last_with(const KnownKeySet& known, bool may_retry, const Done<LastAnswer>& done) {
  const std::string& scope = known.set.scope;
  parts_.channel.last_checkpoint(
      scope, known.document,
      accounted<LastAnswer>({"signing.last_checkpoint", scope, {}, {}},
                            [this, scope, may_retry, done](const sdk::Result<LastAnswer>& answer) {
                              if (answer.ok() || !superseded(answer.error()) || !may_retry) {
                                done(answer.ok() ? answer
                                                 : sdk::Result<LastAnswer>(
                                                       refusal(answer.error(), parts_.log, scope)));
                                return;
                              }
                              catch_up(scope, [this, done](const sdk::Result<KnownKeySet>& newer) {
                                newer.ok() ? last_with(*newer, false, done) : done(newer.error());
                              });
                            }));
}

// Asks the signer for the newest key set of the scope and puts it on record.
void KeyService::catch_up(const std::string& scope, Continue then) {
  auto stored = newest(scope, false);
  if (!stored.ok()) {
    then(stored.error());
    return;
  }
  const SignerChannel::KeySet handed =
      *stored ? SignerChannel::KeySet((*stored)->document) : SignerChannel::KeySet();
  parts_.channel.fetch_key_set(
      scope, handed,
      accounted<SignedDocument>(
          {"signing.public_key", scope, {}, {}},
          [this, scope, then](const sdk::Result<SignedDocument>& got) {
            then(got.ok() ? accept(scope, *got)
                          : sdk::Result<KnownKeySet>(refusal(got.error(), parts_.log, scope)));
          }));
}

// --- rotation ---

void KeyService::record(const std::string& scope, const char* action,
                        std::function<void(sdk::Status)> then) {
  accounts_.record(scope_entry(scope, action, "signing_scope", scope),
                   [this, then = std::move(then)](const sdk::Status& stored) {
                     later([then, stored] { then(stored); }, [then] { then(stopping()); });
                   });
}

void KeyService::open_rotation(std::string scope, Done<KeyView> done) {
  record(scope, "signing.open_rotation", [this, scope, done](const sdk::Status& recorded) {
    recorded.ok() ? open_recorded(scope, true, done) : done(recorded.error());
  });
}

void KeyService::open_recorded(const std::string& scope, bool may_retry,
                               const Done<KeyView>& done) {
  const auto known = newest(scope, false);
  if (!known.ok()) {
    done(known.error());
    return;
  }
  const bool first = !known->has_value();
  const SignerChannel::KeySet handed =
      first ? SignerChannel::KeySet() : SignerChannel::KeySet((*known)->document);
  // A first key whose answer was lost is there already: catching up is all that was asked for.
  const Continue behind = [this, scope, first, done](const sdk::Result<KnownKeySet>& newer) {
    if (newer.ok() && !first) {
      open_recorded(scope, false, done);
    } else {
      done(active_of(newer));
    }
  };
  const std::string key_id = new_key_id();
  parts_.channel.open_rotation(
      scope, key_id, handed,
      accounted<SignedDocument>({"signing.open_rotation_call", scope, key_id, {}},
                                [=, this](const sdk::Result<SignedDocument>& document) {
                                  rotated(scope, document, may_retry ? behind : nullptr, done);
                                }));
}

void KeyService::close_rotation(std::string scope, Done<KeyView> done) {
  record(scope, "signing.close_rotation", [this, scope, done](const sdk::Status& recorded) {
    recorded.ok() ? close_recorded(scope, true, done) : done(recorded.error());
  });
}

void KeyService::close_recorded(const std::string& scope, bool may_retry,
                                const Done<KeyView>& done) {
  const auto known = newest(scope, false);
  if (!known.ok() || !known->has_value()) {
    done(known.ok() ? no_key(scope) : known.error());
    return;
  }
  const KnownKeySet& mine = **known;
  if (!mine.set.rotation) {
    done(sdk::Error{sdk::Code::failed_precondition, "no_open_rotation",
                    "No rotation of scope " + scope + " is open."});
    return;
  }
  const Continue behind = [this, scope, done](const sdk::Result<KnownKeySet>& newer) {
    newer.ok() ? close_recorded(scope, false, done) : done(newer.error());
  };
  parts_.channel.close_rotation(
      scope, *mine.set.rotation, mine.document,
      accounted<SignedDocument>(
          {"signing.close_rotation_call", scope, mine.set.rotation->old_key_id, {}},
          [=, this](const sdk::Result<SignedDocument>& document) {
            rotated(scope, document, may_retry ? behind : nullptr, done);
          }));
}

// `behind` goes on when the signer has seen a newer key set than ours; may be empty.
void KeyService::rotated(const std::string& scope, const sdk::Result<SignedDocument>& document,
                         const Continue& behind, const Done<KeyView>& done) {
  if (document.ok()) {
    done(active_of(accept(scope, *document)));
  } else if (behind && superseded(document.error())) {
    catch_up(scope, behind);
  } else {
    done(refusal(document.error(), parts_.log, scope));
  }
}

// "k-2026-11-" and eight random base32 characters: sorts by month, says nothing else.
std::string KeyService::new_key_id() const {
  std::array<char, kKeyIdRandomBytes> random;
  sdk::random_bytes(random.data(), random.size());
  return "k-" + sdk::rfc3339(parts_.clock.now()).substr(0, 7) + "-" +
         sdk::base32_encode({random.data(), random.size()});
}

}  // namespace plexsphere::signing_client
