// A channel to a signer that runs, and the few things a test does with both.
#pragma once

#include <grpcpp/grpcpp.h>
#include <sodium.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "e2e/signer_process.hpp"
#include "rpc/signer_channel.hpp"
#include "samples.hpp"
#include "signing.grpc.pb.h"

namespace plexsphere::signing_client::testing {

using namespace std::chrono_literals;

// Waits for the one completion of a call that `start` begins.
template <class T, class Start>
sdk::Result<T> result_of(Start start) {
  auto promise = std::make_shared<std::promise<sdk::Result<T>>>();
  auto future = promise->get_future();
  start([promise](sdk::Result<T> result, const JournalPlace&) {
    promise->set_value(std::move(result));
  });
  REQUIRE(future.wait_for(30s) == std::future_status::ready);
  return future.get();
}

inline std::string event_under(const std::string& key_id) {
  return R"({"id":"e","type":"node_state_updated","scope":"node:1","key_id":")" + key_id +
         R"(","issued_at":"2026-01-15T10:30:00Z","payload":{}})";
}

class SignerRig {
 public:
  explicit SignerRig(std::chrono::milliseconds deadline = 20s)
      : channel_(SignerChannel::open({signer.target(), "", "", "", deadline}).value()) {}

  SignerChannel& channel() { return *channel_; }

  sdk::Result<SignedDocument> open(const std::string& key_id,
                                   const SignerChannel::KeySet& set = {}) {
    return result_of<SignedDocument>(
        [&](auto done) { channel_->open_rotation(kScope, key_id, set, std::move(done)); });
  }
  sdk::Result<SignedDocument> close(const SignedDocument& set) {
    const auto rotation = parse_key_set(set.document)->rotation;
    REQUIRE(rotation);
    return result_of<SignedDocument>(
        [&](auto done) { channel_->close_rotation(kScope, *rotation, set, std::move(done)); });
  }
  sdk::Result<SignedDocument> fetch(const SignerChannel::KeySet& set = {}) {
    return result_of<SignedDocument>(
        [&](auto done) { channel_->fetch_key_set(kScope, set, std::move(done)); });
  }
  sdk::Result<SignAnswer> sign(const SignedDocument& set, const std::string& named,
                               const std::string& in_message) {
    const SignCall call{kScope, Purpose::kEvents, named, {event_under(in_message)}};
    return result_of<SignAnswer>([&](auto done) { channel_->sign(call, set, std::move(done)); });
  }
  // Closes the open rotation before its time, which the core never asks for.
  SignedDocument force_close(const SignedDocument& set) {
    namespace wire = plexsphere::signing::v1;
    const auto rotation = parse_key_set(set.document)->rotation;
    REQUIRE(rotation);
    const auto stub = wire::SignerService::NewStub(
        grpc::CreateChannel(signer.target(), grpc::InsecureChannelCredentials()));
    wire::CloseRotationRequest request;
    request.set_scope(kScope);
    request.set_old_key_id(rotation->old_key_id);
    request.set_new_key_id(rotation->new_key_id);
    request.set_force(true);
    request.mutable_key_set()->set_document(set.document);
    request.mutable_key_set()->set_signature(set.signature);
    request.mutable_key_set()->set_document_key(set.document_key);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 20s);
    wire::CloseRotationResponse response;
    REQUIRE(stub->CloseRotation(&context, request, &response).ok());
    return {response.key_set().document(), response.key_set().signature(),
            response.key_set().document_key()};
  }

  e2e::SignerProcess signer{PLEXSPHERE_BUILD_DIR};

 private:
  std::unique_ptr<SignerChannel> channel_;
};

inline const unsigned char* raw(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

inline bool verifies(const std::string& key, const std::string& message,
                     const std::string& signature) {
  return crypto_sign_verify_detached(raw(signature), raw(message), message.size(), raw(key)) == 0;
}

}  // namespace plexsphere::signing_client::testing
