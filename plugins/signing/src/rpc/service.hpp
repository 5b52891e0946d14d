// The gRPC face of the signer: reads requests, calls the use cases, puts each call into the journal
// and then writes the answer. Callback API.
//
// Thread safety: gRPC calls it from its own threads, concurrently; answers leave from the
// journal's. Ownership: signer and journal are the caller's and outlive the service. Invariant:
// nothing leaves, neither an answer nor a refusal, before the call's record is durable; if it
// cannot be made so, the call is refused and what was computed is thrown away.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "app/journal.hpp"
#include "app/signer.hpp"
#include "signing.grpc.pb.h"

namespace plexsphere::signing {

// Which callers are let in. Over a unix socket the kernel has answered that already.
struct PeerPolicy {
  bool check_names = false;
  std::vector<std::string> allowed_names;  // exact subject alternative names
};

// What calls are answered with and where they are recorded.
struct ServiceParts {
  Signer& signer;
  Journal& journal;
  // The present time, for records.
  std::function<std::chrono::sys_time<std::chrono::milliseconds>()> clock;
  Signer::Notice notice;
};

// The trailing metadata in which a refusal carries its place in the journal.
inline constexpr const char* kJournalMetadata = "signing-journal";

class SignerServiceImpl final : public v1::SignerService::CallbackService {
 public:
  SignerServiceImpl(ServiceParts parts, PeerPolicy peers);

  grpc::ServerUnaryReactor* Sign(grpc::CallbackServerContext* context,
                                 const v1::SignRequest* request,
                                 v1::SignResponse* response) override;
  grpc::ServerUnaryReactor* PublicKey(grpc::CallbackServerContext* context,
                                      const v1::PublicKeyRequest* request,
                                      v1::PublicKeyResponse* response) override;
  grpc::ServerUnaryReactor* LastCheckpoint(grpc::CallbackServerContext* context,
                                           const v1::LastCheckpointRequest* request,
                                           v1::LastCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* OpenRotation(grpc::CallbackServerContext* context,
                                         const v1::OpenRotationRequest* request,
                                         v1::OpenRotationResponse* response) override;
  grpc::ServerUnaryReactor* CloseRotation(grpc::CallbackServerContext* context,
                                          const v1::CloseRotationRequest* request,
                                          v1::CloseRotationResponse* response) override;

 private:
  // Answers with what `body` makes of `response`, or with the refusal of a caller that is not on
  // the list, once `record` is in the journal. `body` completes the record.
  template <class Response, class Body>
  grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, JournalRecord record,
                                   Response* response, Body body);
  // Whatever escapes `body` becomes an internal error.
  template <class Body>
  [[nodiscard]] Outcome<Done> guarded(const grpc::CallbackServerContext& context,
                                      JournalRecord& record, Body body) const;
  [[nodiscard]] bool admits(const grpc::CallbackServerContext& context) const;

  const ServiceParts parts_;
  const PeerPolicy peers_;
};

}  // namespace plexsphere::signing
