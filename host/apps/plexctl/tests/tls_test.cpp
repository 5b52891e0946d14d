// https:// against a TLS server with a certificate of our own making.
#include <catch2/catch.hpp>

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/SecureServerSocket.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "host/apps/plexctl/tests/running.hpp"
#include "support/process.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;
namespace net = Poco::Net;

namespace {

constexpr const char* kToken = "psk_test_secret";

// Says who calls by the token it was shown; /redirect/… sends callers away, /big/… never stops.
class Front : public net::HTTPRequestHandler {
 public:
  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    if (request.getURI().starts_with("/redirect/")) {
      response.redirect("https://localhost:1/");
      return;
    }
    if (request.getURI().starts_with("/big/")) {
      const std::string megabyte(1u << 20, ' ');
      std::ostream& out = response.send();
      for (int i = 0; i < 20 && out; ++i) {
        out << megabyte;
      }
      return;
    }
    const bool known = request.get("Authorization", "") == std::string("Bearer ") + kToken;
    response.setStatus(known ? net::HTTPResponse::HTTP_OK : net::HTTPResponse::HTTP_UNAUTHORIZED);
    response.send() << (known ? R"({"subject":"ada","principal_type":"user"})" : "{}");
  }
};

class Fronts : public net::HTTPRequestHandlerFactory {
 public:
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new Front;  // the server deletes it
  }
};

struct TlsServer {
  // The certificate names `name` (as in subjectAltName, "DNS:localhost") and nothing else.
  explicit TlsServer(const std::string& name) {
    const auto made = test_support::run(
        "/usr/bin/openssl",
        {"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "1", "-subj", "/CN=test", "-addext", "subjectAltName=" + name, "-keyout",
         (files.path() / "key.pem").string(), "-out", certificate()});
    REQUIRE(made.code == 0);
    net::Context::Params parameters;
    parameters.privateKeyFile = (files.path() / "key.pem").string();
    parameters.certificateFile = certificate();
    parameters.verificationMode = net::Context::VERIFY_NONE;  // of clients
    const net::Context::Ptr context(new net::Context(net::Context::TLS_SERVER_USE, parameters));
    const net::SecureServerSocket socket(net::SocketAddress("127.0.0.1", 0), 64, context);
    port = socket.address().port();
    server = std::make_unique<net::HTTPServer>(new Fronts, socket, new net::HTTPServerParams);
    server->start();
  }
  ~TlsServer() { server->stopAll(true); }

  std::string certificate() const { return (files.path() / "certificate.pem").string(); }
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(port);
  }

  test_support::TempDir files;
  std::unique_ptr<net::HTTPServer> server;
  std::uint16_t port = 0;
};

// The authorities that OpenSSL trusts in this process, put back at the end.
struct TrustedFile {
  explicit TrustedFile(const std::string& path) { ::setenv("SSL_CERT_FILE", path.c_str(), 1); }
  ~TrustedFile() { ::unsetenv("SSL_CERT_FILE"); }
};

Run whoami_at(const std::string& url) {
  return plexctl::plexctl({"whoami", "--output", "json"}, {url, kToken});
}

}  // namespace

TEST_CASE("a certificate of an authority nobody trusts ends the command", "[plexctl][tls]") {
  const TlsServer server("DNS:localhost,IP:127.0.0.1");
  const Run run = whoami_at(server.url("localhost"));
  CHECK(run.code == 1);
  CHECK(contains(run.err, "SSL_CERT_FILE"));
  CHECK_FALSE(contains(run.err, kToken));
}

TEST_CASE("a trusted certificate must name the host", "[plexctl][tls]") {
  const TlsServer right("DNS:localhost,IP:127.0.0.1");
  {
    const TrustedFile trusted(right.certificate());
    for (const char* host : {"localhost", "127.0.0.1"}) {
      const Run run = whoami_at(right.url(host));
      INFO(run.err);
      CHECK(run.code == 0);
      CHECK(nlohmann::json::parse(run.out).at("subject") == "ada");
    }
    CHECK(plexctl::plexctl({"whoami"}, {right.url("localhost"), "psk_wrong"}).code == 3);
  }
  const TlsServer elsewhere("DNS:elsewhere.example");
  const TrustedFile trusted(elsewhere.certificate());
  for (const char* host : {"localhost", "127.0.0.1"}) {
    CHECK(whoami_at(elsewhere.url(host)).code == 1);
  }
}

TEST_CASE("the token follows no redirect, and no answer is taken without end", "[plexctl][tls]") {
  const TlsServer server("DNS:localhost");
  const TrustedFile trusted(server.certificate());
  const Run redirected = whoami_at(server.url("localhost") + "/redirect");
  CHECK(redirected.code == 1);
  CHECK(contains(redirected.err, "answered 302"));
  const Run endless = whoami_at(server.url("localhost") + "/big");
  CHECK(endless.code == 1);
  CHECK(contains(endless.err, "longer than"));
}
