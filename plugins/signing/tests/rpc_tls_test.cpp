#include <filesystem>
#include <fstream>

#include "rpc/grpc_server.hpp"
#include "rpc_client.hpp"
#include "signer_fixture.hpp"
#include "support/process.hpp"

namespace plexsphere::signing {
namespace {

using testing::RpcClient;
using testing::SignerFixture;

// A certificate authority made with the openssl program, and what it issues.
class Authority {
 public:
  explicit Authority(std::filesystem::path directory) : directory_(std::move(directory)) {
    std::filesystem::create_directory(directory_);
    request("ca", {"-addext", "basicConstraints=critical,CA:TRUE"});
  }
  void issue(const std::string& name, const std::string& alternative_names) const {
    request(name, {"-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-addext",
                   "subjectAltName=" + alternative_names, "-addext",
                   "basicConstraints=critical,CA:FALSE"});
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return (directory_ / name).string();
  }

 private:
  void request(const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"req",
                                       "-x509",
                                       "-newkey",
                                       "ec",
                                       "-pkeyopt",
                                       "ec_paramgen_curve:prime256v1",
                                       "-nodes",
                                       "-days",
                                       "2",
                                       "-subj",
                                       "/CN=" + name,
                                       "-keyout",
                                       file(name + ".key"),
                                       "-out",
                                       file(name + ".crt")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto openssl = test_support::run("/usr/bin/openssl", arguments);
    INFO(openssl.err);
    REQUIRE(openssl.code == 0);
  }

  std::filesystem::path directory_;
};

struct TlsSigner {
  TlsSigner() {
    authority.issue("signer", "DNS:localhost,IP:127.0.0.1");
    authority.issue("core", "DNS:core.plexsphere.example,URI:spiffe://plexsphere.example/core");
    authority.issue("stranger", "DNS:core.plexsphere.example.evil,URI:spiffe://x/stranger");
    rogue.issue("core", "DNS:core.plexsphere.example");
  }
  [[nodiscard]] TlsEndpoint endpoint(std::string peer) const {
    return {"127.0.0.1:0",
            authority.file("signer.crt"),
            authority.file("signer.key"),
            authority.file("ca.crt"),
            {std::move(peer)}};
  }
  [[nodiscard]] std::unique_ptr<GrpcServer> serve(std::string peer) {
    return GrpcServer::start(endpoint(std::move(peer)), signer.parts()).value();
  }
  [[nodiscard]] grpc::Status call_as(const GrpcServer& server, const Authority& issuer,
                                     const std::string& name, const std::string& key_id) const {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = test_support::read_file(authority.file("ca.crt"));
    if (!name.empty()) {
      options.pem_private_key = test_support::read_file(issuer.file(name + ".key"));
      options.pem_cert_chain = test_support::read_file(issuer.file(name + ".crt"));
    }
    v1::OpenRotationResponse opened;
    const std::string scope = name.empty() ? "platform" : std::string(testing::kDomain);
    return RpcClient(server.target(), grpc::SslCredentials(options)).open(scope, key_id, opened);
  }

  SignerFixture signer;
  Authority authority{signer.directory().path() / "ca"};
  Authority rogue{signer.directory().path() / "rogue"};
};

TEST_CASE("over TCP a peer is let in by an exact name in its certificate", "[signing]") {
  TlsSigner tls;
  {
    const auto server = tls.serve("core.plexsphere.example");
    CHECK(tls.call_as(*server, tls.authority, "core", "k1").ok());
    const grpc::Status denied = tls.call_as(*server, tls.authority, "stranger", "k2");
    CHECK(denied.error_code() == grpc::PERMISSION_DENIED);
    CHECK(denied.error_message() == "signing: peer identity denied");
  }
  // Who was turned away is in the journal as well.
  CHECK(test_support::read_file(tls.signer.state() + "/journal/00000000000000000001.journal")
            .find(" k2 peer_identity_denied ") != std::string::npos);
  const auto by_uri = tls.serve("spiffe://plexsphere.example/core");
  // Past the gate the scope has a key already: the refusal is the signer's, not the gate's.
  CHECK(tls.call_as(*by_uri, tls.authority, "core", "k2").error_message() ==
        "signing: key set superseded");
}

TEST_CASE("without a certificate of the authority there is no connection", "[signing]") {
  TlsSigner tls;
  const auto server = tls.serve("core.plexsphere.example");
  CHECK(tls.call_as(*server, tls.rogue, "core", "k1").error_code() == grpc::UNAVAILABLE);
  CHECK(tls.call_as(*server, tls.authority, "", "k1").error_code() == grpc::UNAVAILABLE);
  v1::OpenRotationResponse opened;
  CHECK(RpcClient(server->target(), grpc::InsecureChannelCredentials())
            .open(std::string(testing::kDomain), "k1", opened)
            .error_code() == grpc::UNAVAILABLE);
}

TEST_CASE("missing or foreign TLS files stop the start and are named", "[signing]") {
  TlsSigner tls;
  const auto quiet = [](std::string_view, std::string_view) {};
  TlsEndpoint endpoint = tls.endpoint("core.plexsphere.example");
  endpoint.key_file = tls.authority.file("absent.key");
  CHECK(GrpcServer::start(endpoint, tls.signer.parts(quiet))
            .fault()
            .cause.starts_with(endpoint.key_file));
  endpoint.key_file = tls.authority.file("core.key");
  CHECK_FALSE(GrpcServer::start(endpoint, tls.signer.parts(quiet)).ok());
}

}  // namespace
}  // namespace plexsphere::signing
