// The gRPC face of the signer: reads requests, calls the use cases, writes answers. Callback API.
//
// Thread safety: gRPC calls it from its own threads, concurrently. Ownership: the signer is the
// caller's and outlives the service.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "app/signer.hpp"
#include "signing.grpc.pb.h"

namespace plexsphere::signing {

// Which callers are let in. Over a unix socket the kernel has answered that already.
struct PeerPolicy {
  bool check_names = false;
  std::vector<std::string> allowed_names;  // exact subject alternative names
};

class SignerServiceImpl final : public v1::SignerService::CallbackService {
 public:
  SignerServiceImpl(Signer& signer, PeerPolicy peers, Signer::Notice notice);

  grpc::ServerUnaryReactor* Sign(grpc::CallbackServerContext* context,
                                 const v1::SignRequest* request,
                                 v1::SignResponse* response) override;
  grpc::ServerUnaryReactor* PublicKey(grpc::CallbackServerContext* context,
                                      const v1::PublicKeyRequest* request,
                                      v1::PublicKeyResponse* response) override;
  grpc::ServerUnaryReactor* OpenRotation(grpc::CallbackServerContext* context,
                                         const v1::OpenRotationRequest* request,
                                         v1::OpenRotationResponse* response) override;
  grpc::ServerUnaryReactor* CloseRotation(grpc::CallbackServerContext* context,
                                          const v1::CloseRotationRequest* request,
                                          v1::CloseRotationResponse* response) override;

 private:
  // Answers with what `body` returns, or with the refusal of a caller that is not on the list.
  // Whatever escapes `body` becomes an internal error.
  template <class Body>
  grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, Body body);
  [[nodiscard]] bool admits(const grpc::CallbackServerContext& context) const;

  Signer& signer_;
  const PeerPolicy peers_;
  const Signer::Notice notice_;
};

}  // namespace plexsphere::signing
