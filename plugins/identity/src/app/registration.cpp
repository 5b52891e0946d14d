#include "app/registration.hpp"

#include "app/digest.hpp"
#include "app/registration_attempt.hpp"
#include "domain/credential_text.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::identity {
namespace {

sdk::Error invalid_key() {
  return {sdk::Code::invalid_argument, "public_key_invalid",
          "\"public_key\" must be the base64 of an X25519 public key: 32 bytes, not all zero."};
}

sdk::Error unknown_token() {
  return {sdk::Code::permission_denied, "token_invalid",
          "The bootstrap token is not one that this control plane knows."};
}

sdk::Error overloaded() {
  return {sdk::Code::resource_exhausted, "registration_overloaded",
          "Too many registrations are waiting; try again."};
}

}  // namespace

void Registration::submit(RegisterCommand command, Done done) const {
  auto key = sdk::base64_decode(command.public_key);
  if (!key || !valid_public_key(*key)) {
    done(invalid_key());
    return;
  }
  auto ticket = lanes_.admission.admit();
  if (!ticket) {
    done(overloaded());
    return;
  }
  auto attempt = std::make_shared<Attempt>(
      Attempt{std::move(command), std::move(done), std::move(*ticket), std::move(*key), {}, {}});
  attempt->nonce_sha256 = sha256(attempt->command.nonce);
  auto opened = open_token(*attempt);
  if (!opened.ok()) {
    finish(attempt, opened.error());
    return;
  }
  if (!lanes_.proof.submit([this, attempt] { prove(attempt); })) {
    finish(attempt, overloaded());
  }
}

// Tag, then look-up: a made-up token gets no further than one keyed hash.
sdk::Status Registration::open_token(Attempt& attempt) const {
  auto presented = codec_.open(attempt.command.bootstrap_token.view());
  if (!presented.ok()) {
    return presented.error();
  }
  if (presented->by_previous_key) {
    auto taken = tag_keys_.takes_previous();
    if (!taken.ok() || !*taken) {
      return taken.ok() ? unknown_token() : taken.error();
    }
  }
  auto found = tokens_.find_by_selector(presented->selector);
  if (!found.ok()) {
    if (found.error().code == sdk::Code::not_found) {
      return unknown_token();
    }
    return found.error();
  }
  attempt.token = std::move(*found);
  return {};
}

// On the proof lane.
void Registration::prove(const AttemptPtr& attempt) const {
  if (!PasswordHash::verify(attempt->token.hash, attempt->command.bootstrap_token.view())) {
    deny(attempt, unknown_token());
    return;
  }
  PLEXSPHERE_FAILPOINT("registration.proven");
  if (!lanes_.change.submit([this, attempt] { change(attempt); })) {
    finish(attempt, overloaded());
  }
}

// On the change lane, with a proven token.
void Registration::change(const AttemptPtr& attempt) const {
  const auto refused =
      refusal(attempt->token.token.facts(), attempt->command.project_id.text(), ports_.clock.now());
  auto outcome = refused == "token_consumed" && may_replay(*attempt) ? replay(*attempt)
                 : refused ? sdk::Result<Registered>(token_refusal(*refused))
                           : enrol(*attempt);
  if (!outcome.ok() && outcome.error().code == sdk::Code::permission_denied) {
    deny(attempt, outcome.error());
    return;
  }
  finish(attempt, std::move(outcome));
}

void Registration::finish(const AttemptPtr& attempt, sdk::Result<Registered> outcome) const {
  const std::string& correlation_id = attempt->command.call.correlation_id;
  if (outcome.ok()) {
    outcomes_.enrolled.add();
    ports_.log.info("node_registered", {{"node_id", outcome.value().node_id.text()},
                                        {"correlation_id", correlation_id}});
  } else {
    const sdk::Error& error = outcome.error();
    const bool refused = error.code == sdk::Code::permission_denied ||
                         error.code == sdk::Code::invalid_argument ||
                         error.code == sdk::Code::not_found;
    (refused ? outcomes_.refused : outcomes_.failed).add();
    if (!refused) {
      ports_.log.warn("registration_failed",
                      {{"reason", error.reason}, {"correlation_id", correlation_id}});
    }
  }
  attempt->done(std::move(outcome));
}

// A denial of a token that exists is a row of its Domain's chain before it is an answer.
void Registration::deny(const AttemptPtr& attempt, sdk::Error error) const {
  const TokenRecord& token = attempt->token.token;
  sdk::AuditEntry entry = audit_entry(attempt->command.call, token.domain_id,
                                      "bootstrap_token.consume", "bootstrap_token", token.id);
  entry.reason =
      error.reason == "project_mismatch" ? PX_REASON_OUT_OF_SCOPE : PX_REASON_CAVEAT_VIOLATION;
  entry.subject_type = "system";
  entry.subject_id = "register";
  entry.subject_domain_id = token.domain_id;
  entry.caveat_names = {{error.reason, ""}};
  ports_.audit.record(entry, [this, attempt, error = std::move(error)](const sdk::Status& stored) {
    if (stored.ok()) {
      finish(attempt, error);
    } else {
      ports_.log.error("registration_denial_unaudited", {{"reason", stored.error().reason}});
      finish(attempt, sdk::Error{sdk::Code::unavailable, "audit_unavailable",
                                 "The audit log cannot take the decision at the moment."});
    }
  });
}

}  // namespace plexsphere::identity
