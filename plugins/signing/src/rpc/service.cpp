#include "rpc/service.hpp"

#include <grpcpp/security/auth_context.h>

#include <algorithm>
#include <optional>
#include <string_view>

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
  return Fault{FaultKind::kInvariantViolation, "purpose must be events or checkpoints"};
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

}  // namespace

SignerServiceImpl::SignerServiceImpl(Signer& signer, PeerPolicy peers, Signer::Notice notice)
    : signer_(signer), peers_(std::move(peers)), notice_(std::move(notice)) {}

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
grpc::ServerUnaryReactor* SignerServiceImpl::answer(grpc::CallbackServerContext* context,
                                                    Body body) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (!admits(*context)) {
    notice_("signing_peer_denied", "a TLS peer whose names are not in allowed_peers called");
    reactor->Finish(status_of({FaultKind::kPeerDenied, ""}));
    return reactor;
  }
  grpc::Status status;
  try {
    const Outcome<Done> done = body();
    status = done.ok() ? grpc::Status::OK : status_of(done.fault());
    // What is wrong with the signer itself its operator must see, whatever the caller makes of it.
    if (!done.ok() && done.fault().kind == FaultKind::kInternal) {
      notice_("signing_internal_error", done.fault().cause);
    }
  } catch (const std::exception& error) {
    notice_("signing_internal_error", error.what());
    status = status_of({FaultKind::kInternal, ""});
  }
  reactor->Finish(status);
  return reactor;
}

grpc::ServerUnaryReactor* SignerServiceImpl::Sign(grpc::CallbackServerContext* context,
                                                  const v1::SignRequest* request,
                                                  v1::SignResponse* response) {
  return answer(context, [&]() -> Outcome<Done> {
    const Outcome<Purpose> purpose = read_purpose(request->purpose());
    if (!purpose.ok()) {
      return purpose.fault();
    }
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const std::vector<std::string_view> messages(request->messages().begin(),
                                                 request->messages().end());
    const Outcome<Signer::Signed> result = signer_.sign(request->scope(), request->key_id(),
                                                        purpose.value(), messages, handed.value());
    if (!result.ok()) {
      return result.fault();
    }
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
  return answer(context, [&]() -> Outcome<Done> {
    const Outcome<Purpose> purpose = read_purpose(request->purpose());
    if (!purpose.ok()) {
      return purpose.fault();
    }
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<Signer::KeyView> result =
        signer_.public_key(request->scope(), request->key_id(), purpose.value(), handed.value());
    if (!result.ok()) {
      return result.fault();
    }
    response->set_key_id(result.value().key.key_id);
    response->set_public_key(text_of(result.value().public_key));
    response->set_state(state_of(result.value().key.state));
    response->set_cached(result.value().cached);
    write_key_set(result.value().key_set, response->mutable_key_set());
    return Done{};
  });
}

grpc::ServerUnaryReactor* SignerServiceImpl::OpenRotation(grpc::CallbackServerContext* context,
                                                          const v1::OpenRotationRequest* request,
                                                          v1::OpenRotationResponse* response) {
  return answer(context, [&]() -> Outcome<Done> {
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<Signer::Opened> result =
        signer_.open_rotation(request->scope(), request->new_key_id(), handed.value());
    if (!result.ok()) {
      return result.fault();
    }
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
  return answer(context, [&]() -> Outcome<Done> {
    const Outcome<Signer::Handed> handed = read_key_set(*request);
    if (!handed.ok()) {
      return handed.fault();
    }
    const Outcome<SignedDocument> result =
        signer_.close_rotation(request->scope(), request->old_key_id(), request->new_key_id(),
                               request->force(), handed.value());
    if (!result.ok()) {
      return result.fault();
    }
    write_key_set(result.value(), response->mutable_key_set());
    return Done{};
  });
}

}  // namespace plexsphere::signing
