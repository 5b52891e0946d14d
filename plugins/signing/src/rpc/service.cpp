#include "rpc/service.hpp"

#include <grpcpp/security/auth_context.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "app/sha256.hpp"
#include "domain/key_set_document.hpp"

namespace plexsphere::signing {
namespace {

grpc::Status status_of(const Fault& fault) {
  return {static_cast<grpc::StatusCode>(canonical_code(fault.kind)),
          std::string(status_detail(fault.kind)), fault.cause};
}

template <std::size_t N>
std::string text_of(const std::array<std::uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// False when the text has another length than the array.
template <std::size_t N>
bool copy_exactly(const std::string& text, std::array<std::uint8_t, N>& out) {
  if (text.size() != N) {
    return false;
  }
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(out.data()));
  return true;
}

Outcome<Purpose> read_purpose(v1::Purpose purpose) {
  if (purpose == v1::PURPOSE_EVENTS) {
    return Purpose::kEvents;
  }
  if (purpose == v1::PURPOSE_CHECKPOINTS) {
    return Purpose::kCheckpoints;
  }
  if (purpose == v1::PURPOSE_RESTORES) {
    return Purpose::kRestores;
  }
  return Fault{FaultKind::kInvariantViolation, "purpose must be events, checkpoints or restores"};
}

v1::KeyState state_of(KeyState state) {
  switch (state) {
    case KeyState::kActive:
      return v1::KEY_STATE_ACTIVE;
    case KeyState::kRotating:
      return v1::KEY_STATE_ROTATING;
    case KeyState::kRetired:
      break;
  }
  return v1::KEY_STATE_RETIRED;
}

// The key set a request carries. Its document key is a courtesy to the caller's pinning; the signer
// verifies with its own.
template <class Request>
Outcome<Signer::Handed> read_key_set(const Request& request) {
  if (!request.has_key_set()) {
    return Signer::Handed();
  }
  SignedDocument handed;
  handed.document = request.key_set().document();
  if (!copy_exactly(request.key_set().signature(), handed.signature) ||
      !copy_exactly(request.key_set().document_key(), handed.document_key)) {
    return Fault{FaultKind::kKeySetRejected,
                 "a key set carries a 64-byte signature and a 32-byte document key"};
  }
  return Signer::Handed(std::move(handed));
}

void write_key_set(const SignedDocument& document, v1::SignedKeySet* out) {
  out->set_document(document.document);
  out->set_signature(text_of(document.signature));
  out->set_document_key(text_of(document.document_key));
}

// --- what the journal is told of a call ---

std::string purpose_word(v1::Purpose purpose) {
  const Outcome<Purpose> known = read_purpose(purpose);
  if (!known.ok()) {
    return "*";
  }
  return known.value() == Purpose::kRestores ? "restores"
                                             : std::string(purpose_name(known.value()));
}

template <class Request>
JournalRecord record_of(std::string_view rpc, const Request& request, const std::string& key_id) {
  JournalRecord record;
  record.rpc = rpc;
  record.scope = journal_scope(request.scope());
  record.key_id = journal_key_id(key_id);
  record.digest = hex_of(digest_of({}));
  return record;
}

std::vector<std::string_view> messages_of(const v1::SignRequest& request) {
  return {request.messages().begin(), request.messages().end()};
}

std::uint64_t number_of(const SignedDocument& document) {
  const Outcome<KeySet> set = parse_key_set(document.document);
  return set.ok() ? set.value().number() : 0;
}

std::string metadata_of(const JournalMark& mark) {
  return mark.instance + " " + std::to_string(mark.seq) + " " + hex_of(mark.head);
}

template <class Response>
void write_mark(const JournalMark& mark, Response* response) {
  response->set_journal_instance(mark.instance);
  response->set_journal_seq(mark.seq);
  response->set_journal_head(text_of(mark.head));
}

}  // namespace

SignerServiceImpl::SignerServiceImpl(ServiceParts parts, PeerPolicy peers)
    : parts_(std::move(parts)), peers_(std::move(peers)) {}

bool SignerServiceImpl::admits(const grpc::CallbackServerContext& context) const {
  if (!peers_.check_names) {
    return true;
  }
  const auto auth = context.auth_context();
  if (!auth || !auth->IsPeerAuthenticated()) {
    return false;
  }
  const auto names = auth->FindPropertyValues("x509_subject_alternative_name");
  return std::any_of(names.begin(), names.end(), [this](const grpc::string_ref& name) {
    const std::string_view text(name.data(), name.size());
    return std::find(peers_.allowed_names.begin(), peers_.allowed_names.end(), text) !=
           peers_.allowed_names.end();
  });
}

template <class Body>
Outcome<Done> SignerServiceImpl::guarded(const grpc::CallbackServerContext& context,
                                         JournalRecord& record, Body body) const {
  if (!admits(context)) {
    parts_.notice("signing_peer_denied", "a TLS peer whose names are not in allowed_peers called");
    return Fault{FaultKind::kPeerDenied, ""};
  }
  try {
    Outcome<Done> done = body(record);
    // What is wrong with the signer itself its operator must see, whatever the caller makes of it.
    if (!done.ok() && done.fault().kind == FaultKind::kInternal) {
      parts_.notice("signing_internal_error", done.fault().cause);
    }
    return done;
  } catch (const std::exception& error) {
    parts_.notice("signing_internal_error", error.what());
    return Fault{FaultKind::kInternal, ""};
  }
}

template <class Response, class Body>
grpc::ServerUnaryReactor* SignerServiceImpl::answer(grpc::CallbackServerContext* context,
                                                    JournalRecord record, Response* response,
                                                    Body body) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  record.at = parts_.clock();
  const Outcome<Done> done = guarded(*context, record, body);
  if (!done.ok()) {
    record.outcome = journal_outcome(done.fault().kind);
  }
  parts_.journal.append(std::move(record), [=](const Outcome<JournalMark>& mark) {
    if (!mark.ok()) {
      response->Clear();
      reactor->Finish(status_of(mark.fault()));
    } else if (!done.ok()) {
      context->AddTrailingMetadata(kJournalMetadata, metadata_of(mark.value()));
      reactor->Finish(status_of(done.fault()));
    } else {
      write_mark(mark.value(), response);
      reactor->Finish(grpc::Status::OK);
    }
  });
  return reactor;
}

grpc::ServerUnaryReactor* SignerServiceImpl::Sign(grpc::CallbackServerContext* context,
                                                  const v1::SignRequest* request,
                                                  v1::SignResponse* response) {
  const std::vector<std::string_view> messages = messages_of(*request);
  JournalRecord asked = record_of(kRpcSign, *request, request->key_id());
  asked.purpose = purpose_word(request->purpose());
  asked.messages = messages.size();
  asked.digest = hex_of(digest_of(messages));
  return answer(context, std::move(asked), response, [&](JournalRecord& record) -> Outcome<Done> {
    const Outcome<Purpose> purpose = read_purpose(request->purpose());
    if (!purpose.ok()) {
      return purpose.fault();
    }
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<Signer::Signed> result = parts_.signer.sign(
        request->scope(), request->key_id(), purpose.value(), messages, handed.value());
    if (!result.ok()) {
      return result.fault();
    }
    record.key_id = result.value().key_id;
    record.key_set = result.value().key_set_number;
    response->set_key_id(result.value().key_id);
    response->set_public_key(text_of(result.value().public_key));
    response->set_key_set_number(result.value().key_set_number);
    for (const Signature& signature : result.value().signatures) {
      response->add_signatures(text_of(signature));
    }
    return Done{};
  });
}

grpc::ServerUnaryReactor* SignerServiceImpl::PublicKey(grpc::CallbackServerContext* context,
                                                       const v1::PublicKeyRequest* request,
                                                       v1::PublicKeyResponse* response) {
  JournalRecord asked = record_of(kRpcPublicKey, *request, request->key_id());
  asked.purpose = purpose_word(request->purpose());
  return answer(context, std::move(asked), response, [&](JournalRecord& record) -> Outcome<Done> {
    const Outcome<Purpose> purpose = read_purpose(request->purpose());
    if (!purpose.ok()) {
      return purpose.fault();
    }
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<Signer::KeyView> result = parts_.signer.public_key(
        request->scope(), request->key_id(), purpose.value(), handed.value());
    if (!result.ok()) {
      return result.fault();
    }
    record.key_id = result.value().key.key_id;
    record.key_set = number_of(result.value().key_set);
    response->set_key_id(result.value().key.key_id);
    response->set_public_key(text_of(result.value().public_key));
    response->set_state(state_of(result.value().key.state));
    response->set_cached(result.value().cached);
    write_key_set(result.value().key_set, response->mutable_key_set());
    return Done{};
  });
}

grpc::ServerUnaryReactor* SignerServiceImpl::LastCheckpoint(
    grpc::CallbackServerContext* context, const v1::LastCheckpointRequest* request,
    v1::LastCheckpointResponse* response) {
  JournalRecord asked = record_of(kRpcLastCheckpoint, *request, "");
  return answer(context, std::move(asked), response, [&](JournalRecord& record) -> Outcome<Done> {
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<SeenCheckpoint> result =
        parts_.signer.last_checkpoint(request->scope(), handed.value());
    if (!result.ok()) {
      return result.fault();
    }
    if (handed.value()) {
      record.key_set = number_of(*handed.value());
    }
    const SeenCheckpoint& seen = result.value();
    response->set_size(seen.size);
    response->set_root(seen.root);
    response->set_epoch(seen.epoch);
    response->set_restore(seen.restore.empty() ? std::string() : text_of(hash_of(seen.restore)));
    return Done{};
  });
}

grpc::ServerUnaryReactor* SignerServiceImpl::OpenRotation(grpc::CallbackServerContext* context,
                                                          const v1::OpenRotationRequest* request,
                                                          v1::OpenRotationResponse* response) {
  JournalRecord asked = record_of(kRpcOpenRotation, *request, request->new_key_id());
  return answer(context, std::move(asked), response, [&](JournalRecord& record) -> Outcome<Done> {
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<Signer::Opened> result =
        parts_.signer.open_rotation(request->scope(), request->new_key_id(), handed.value());
    if (!result.ok()) {
      return result.fault();
    }
    record.key_set = number_of(result.value().key_set);
    response->set_old_key_id(result.value().old_key_id);
    response->set_new_key_id(result.value().new_key_id);
    response->set_opened_at(result.value().opened_at.time_since_epoch().count());
    response->set_closes_at(result.value().closes_at.time_since_epoch().count());
    write_key_set(result.value().key_set, response->mutable_key_set());
    return Done{};
  });
}

grpc::ServerUnaryReactor* SignerServiceImpl::CloseRotation(grpc::CallbackServerContext* context,
                                                           const v1::CloseRotationRequest* request,
                                                           v1::CloseRotationResponse* response) {
  JournalRecord asked = record_of(request->force() ? kRpcForceCloseRotation : kRpcCloseRotation,
                                  *request, request->old_key_id());
  return answer(context, std::move(asked), response, [&](JournalRecord& record) -> Outcome<Done> {
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<SignedDocument> result =
        parts_.signer.close_rotation(request->scope(), request->old_key_id(), request->new_key_id(),
                                     request->force(), handed.value());
    if (!result.ok()) {
      return result.fault();
    }
    record.key_set = number_of(result.value());
    write_key_set(result.value(), response->mutable_key_set());
    return Done{};
  });
}

}  // namespace plexsphere::signing
