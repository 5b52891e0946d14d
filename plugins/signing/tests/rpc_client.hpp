// A bare client of the signer's wire, for tests that look at statuses.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "signing.grpc.pb.h"

namespace plexsphere::signing::testing {

class RpcClient {
 public:
  RpcClient(const std::string& target, std::shared_ptr<grpc::ChannelCredentials> credentials)
      : stub_(v1::SignerService::NewStub(make_channel(target, std::move(credentials)))) {}

  template <class Request, class Response>
  using Method = grpc::Status (v1::SignerService::Stub::*)(grpc::ClientContext*, const Request&,
                                                           Response*);
  template <class Request, class Response>
  grpc::Status call(Method<Request, Response> method, const Request& request,
                    Response& response) const {
    std::string place;
    return call(method, request, response, place);
  }
  // `place`: what a refusal says of the call's place in the journal; empty when nothing is said.
  template <class Request, class Response>
  grpc::Status call(Method<Request, Response> method, const Request& request, Response& response,
                    std::string& place) const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    const grpc::Status status = (stub_.get()->*method)(&context, request, &response);
    const auto& metadata = context.GetServerTrailingMetadata();
    const auto found = metadata.find("signing-journal");
    place = found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
    return status;
  }

  grpc::Status open(const std::string& scope, const std::string& key_id,
                    v1::OpenRotationResponse& response) const {
    v1::OpenRotationRequest request;
    request.set_scope(scope);
    request.set_new_key_id(key_id);
    return call(&v1::SignerService::Stub::OpenRotation, request, response);
  }

 private:
  // Channels to one target are pooled in a process; a test's own name keeps them apart.
  static std::shared_ptr<grpc::Channel> make_channel(
      const std::string& target, std::shared_ptr<grpc::ChannelCredentials> credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(target, std::move(credentials), arguments);
  }

  std::unique_ptr<v1::SignerService::Stub> stub_;
};

}  // namespace plexsphere::signing::testing
