#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>

#include "rpc/grpc_server.hpp"
#include "rpc_client.hpp"
#include "signer_fixture.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::signing {
namespace {

using namespace std::chrono_literals;
using testing::RpcClient;
using testing::SignerFixture;

const std::string kScope(testing::kDomain);

// Notices arrive on the accepting thread.
struct Notices {
  void add(std::string_view event, std::string_view text) {
    const std::lock_guard guard(lock);
    last = std::string(event) + ": " + std::string(text);
  }
  std::string get() {
    const std::lock_guard guard(lock);
    return last;
  }
  std::mutex lock;
  std::string last;
};

struct UnixSigner {
  explicit UnixSigner(std::vector<uid_t> uids = {geteuid()})
      : server(
            GrpcServer::start(UnixEndpoint{path, std::move(uids)},
                              signer.parts([this](std::string_view event, std::string_view text) {
                                notices.add(event, text);
                              }))
                .value()) {}
  [[nodiscard]] RpcClient client() const {
    return {server->target(), grpc::InsecureChannelCredentials()};
  }

  SignerFixture signer;
  Notices notices;
  std::string path = (signer.directory().path() / "run" / "signer.sock").string();
  std::unique_ptr<GrpcServer> server;
};

TEST_CASE("all four calls work over a real unix socket", "[signing]") {
  UnixSigner signer;
  const RpcClient client = signer.client();
  v1::OpenRotationResponse opened;
  REQUIRE(client.open(kScope, "k1", opened).ok());
  CHECK(opened.old_key_id().empty());
  CHECK(opened.closes_at() == opened.opened_at());

  v1::SignRequest sign;
  sign.set_scope(kScope);
  sign.set_purpose(v1::PURPOSE_EVENTS);
  sign.add_messages(testing::event_under("k1"));
  sign.add_messages(testing::event_under("k1"));
  *sign.mutable_key_set() = opened.key_set();
  v1::SignResponse signatures;
  REQUIRE(client.call(&v1::SignerService::Stub::Sign, sign, signatures).ok());
  CHECK(signatures.key_id() == "k1");
  REQUIRE(signatures.signatures_size() == 2);
  CHECK(testing::verifies(signatures.public_key(), sign.messages(0), signatures.signatures(0)));

  v1::PublicKeyRequest ask;
  ask.set_scope(kScope);
  ask.set_purpose(v1::PURPOSE_EVENTS);
  v1::PublicKeyResponse key;
  REQUIRE(client.call(&v1::SignerService::Stub::PublicKey, ask, key).ok());
  CHECK(key.public_key() == signatures.public_key());
  CHECK(key.state() == v1::KEY_STATE_ACTIVE);
  CHECK(testing::verifies(key.key_set().document_key(), key.key_set().document(),
                          key.key_set().signature()));

  v1::OpenRotationRequest open;
  open.set_scope(kScope);
  open.set_new_key_id("k2");
  *open.mutable_key_set() = opened.key_set();
  v1::OpenRotationResponse rotating;
  REQUIRE(client.call(&v1::SignerService::Stub::OpenRotation, open, rotating).ok());
  CHECK(rotating.closes_at() - rotating.opened_at() == 7 * 24 * 3600);

  v1::CloseRotationRequest close;
  close.set_scope(kScope);
  close.set_old_key_id("k1");
  close.set_new_key_id("k2");
  close.set_force(true);
  *close.mutable_key_set() = rotating.key_set();
  v1::CloseRotationResponse closed;
  REQUIRE(client.call(&v1::SignerService::Stub::CloseRotation, close, closed).ok());
  CHECK(closed.key_set().document().find("key k1 retired") != std::string::npos);
}

TEST_CASE("refusals carry the contract's code and words, and the cause beside them", "[signing]") {
  UnixSigner signer;
  const RpcClient client = signer.client();
  v1::OpenRotationResponse opened;
  REQUIRE(client.open(kScope, "k1", opened).ok());

  const auto sign = [&](const std::string& scope, const std::string& key_id,
                        const v1::SignedKeySet* set) {
    v1::SignRequest request;
    request.set_scope(scope);
    request.set_key_id(key_id);
    request.set_purpose(v1::PURPOSE_EVENTS);
    request.add_messages(testing::event_under("k1"));
    if (set != nullptr) {
      *request.mutable_key_set() = *set;
    }
    v1::SignResponse response;
    return client.call(&v1::SignerService::Stub::Sign, request, response);
  };
  const auto check = [](const grpc::Status& status, grpc::StatusCode code,
                        const std::string& message) {
    CHECK(status.error_code() == code);
    CHECK(status.error_message() == message);
    CHECK_FALSE(status.error_details().empty());
  };
  check(sign(kScope, "k9", &opened.key_set()), grpc::NOT_FOUND, "signing: key not found");
  check(sign("bad", "", nullptr), grpc::INVALID_ARGUMENT, "signing: invariant violation");
  check(sign(kScope, "", nullptr), grpc::FAILED_PRECONDITION, "signing: key set superseded");
  check(sign(std::string(testing::kOtherDomain), "", &opened.key_set()), grpc::NOT_FOUND,
        "signing: scope mismatch");
  v1::SignedKeySet broken = opened.key_set();
  broken.set_signature("short");
  check(sign(kScope, "", &broken), grpc::INVALID_ARGUMENT, "signing: key set rejected");

  v1::OpenRotationRequest open;
  open.set_scope(kScope);
  open.set_new_key_id("k2");
  *open.mutable_key_set() = opened.key_set();
  v1::OpenRotationResponse rotating;
  REQUIRE(client.call(&v1::SignerService::Stub::OpenRotation, open, rotating).ok());
  open.set_new_key_id("k3");
  *open.mutable_key_set() = rotating.key_set();
  check(client.call(&v1::SignerService::Stub::OpenRotation, open, rotating),
        grpc::FAILED_PRECONDITION, "signing: rotation in progress");

  v1::CloseRotationRequest close;
  close.set_scope(kScope);
  close.set_old_key_id("k1");
  close.set_new_key_id("k2");
  close.set_force(true);
  *close.mutable_key_set() = open.key_set();
  v1::CloseRotationResponse closed;
  REQUIRE(client.call(&v1::SignerService::Stub::CloseRotation, close, closed).ok());
  check(sign(kScope, "k1", &closed.key_set()), grpc::FAILED_PRECONDITION, "signing: key retired");

  v1::PublicKeyRequest ask;  // no purpose
  ask.set_scope(kScope);
  v1::PublicKeyResponse key;
  check(client.call(&v1::SignerService::Stub::PublicKey, ask, key), grpc::INVALID_ARGUMENT,
        "signing: invariant violation");
}

TEST_CASE("a user who is not allowed is cut off before a byte is read", "[signing]") {
  UnixSigner signer({geteuid() + 1});
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  signer.path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  char byte = 0;
  CHECK(read(fd, &byte, 1) == 0);
  close(fd);
  CHECK(test_support::wait_until(10s, [&] {
    return signer.notices.get() == "signing_peer_denied: user " + std::to_string(geteuid()) +
                                       " is not in allowed_uids and connected";
  }));
  v1::OpenRotationResponse opened;
  CHECK(signer.client().open(kScope, "k1", opened).error_code() == grpc::UNAVAILABLE);
}

TEST_CASE("the socket's directory is closed to others or the signer does not start", "[signing]") {
  SignerFixture fixture;
  const std::string directory = (fixture.directory().path() / "run").string();
  const UnixEndpoint endpoint{directory + "/signer.sock", {geteuid()}};
  const auto quiet = [](std::string_view, std::string_view) {};
  {
    const auto server = GrpcServer::start(endpoint, fixture.parts(quiet)).value();
    struct stat info {};
    REQUIRE(stat(directory.c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0750);
    REQUIRE(stat(endpoint.path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0007) == 0);
    CHECK(GrpcServer::start(endpoint, fixture.parts(quiet)).fault().cause ==
          endpoint.path + ": another process listens there");
  }
  CHECK_FALSE(std::filesystem::exists(endpoint.path));
  REQUIRE(chmod(directory.c_str(), 0755) == 0);
  CHECK(GrpcServer::start(endpoint, fixture.parts(quiet)).fault().cause.find("chmod 0750") !=
        std::string::npos);
  REQUIRE(chmod(directory.c_str(), 0750) == 0);
  fixture.directory().write("run/signer.sock", "");
  CHECK(GrpcServer::start(endpoint, fixture.parts(quiet)).fault().cause.find("is not a socket") !=
        std::string::npos);
}

TEST_CASE("a socket that a killed signer left behind is replaced", "[signing]") {
  SignerFixture fixture;
  const UnixEndpoint endpoint{(fixture.directory().path() / "run/signer.sock").string(),
                              {geteuid()}};
  std::filesystem::create_directory(fixture.directory().path() / "run");
  REQUIRE(chmod((fixture.directory().path() / "run").c_str(), 0750) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  endpoint.path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(fd);
  REQUIRE(std::filesystem::exists(endpoint.path));
  const auto server = GrpcServer::start(endpoint, fixture.parts()).value();
  v1::OpenRotationResponse opened;
  const RpcClient client(server->target(), grpc::InsecureChannelCredentials());
  CHECK(client.open(kScope, "k1", opened).ok());
}

}  // namespace
}  // namespace plexsphere::signing
