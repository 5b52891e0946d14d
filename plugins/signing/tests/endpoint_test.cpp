#include "rpc/endpoint.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::signing {
namespace {

std::string cause(const EndpointSettings& settings) {
  const auto endpoint = parse_endpoint(settings, 1000);
  REQUIRE_FALSE(endpoint.ok());
  return endpoint.fault().cause;
}

EndpointSettings tls() {
  return {"tcp:127.0.0.1:9081", {}, "cert", "key", "ca", {"core.example"}};
}

TEST_CASE("a unix endpoint admits the signer's own user unless told otherwise", "[signing]") {
  EndpointSettings settings{"unix:/run/plexsphere/signer.sock", {}, "", "", "", {}};
  CHECK(std::get<UnixEndpoint>(parse_endpoint(settings, 1000).value()).allowed_uids ==
        std::vector<uid_t>{1000});
  settings.allowed_uids = {"998", "0"};
  const auto endpoint = std::get<UnixEndpoint>(parse_endpoint(settings, 1000).value());
  CHECK(endpoint.path == "/run/plexsphere/signer.sock");
  CHECK(endpoint.allowed_uids == std::vector<uid_t>{998, 0});
}

TEST_CASE("wrong words in the endpoint are refused with key, value and remedy", "[signing]") {
  CHECK(cause({"http://x", {}, "", "", "", {}}) ==
        "listen: \"http://x\" must start with unix: or tcp:");
  for (const std::string path : {"relative/s", "/s", "/dir/", ""}) {
    CHECK(cause({"unix:" + path, {}, "", "", "", {}}).find("must be unix:/directory/socket") !=
          std::string::npos);
  }
  CHECK_FALSE(
      parse_endpoint({"unix:/" + std::string(103, 'd') + "/sock", {}, "", "", "", {}}, 1).ok());
  CHECK(cause({"unix:/run/x/s", {"core"}, "", "", "", {}}) ==
        "allowed_uids: \"core\" is not a numeric user id");
  CHECK_FALSE(parse_endpoint({"unix:/run/x/s", {"-1"}, "", "", "", {}}, 1).ok());
  CHECK_FALSE(parse_endpoint({"unix:/run/x/s", {""}, "", "", "", {}}, 1).ok());
}

TEST_CASE("TCP is never without mutual TLS and names", "[signing]") {
  CHECK(std::get<TlsEndpoint>(parse_endpoint(tls(), 1).value()).allowed_peers ==
        std::vector<std::string>{"core.example"});
  EndpointSettings settings = tls();
  settings.allowed_peers.clear();
  CHECK(cause(settings).find("allowed_peers") != std::string::npos);
  for (std::string EndpointSettings::*const member :
       {&EndpointSettings::tls_cert, &EndpointSettings::tls_key,
        &EndpointSettings::tls_client_ca}) {
    settings = tls();
    (settings.*member).clear();
    CHECK(cause(settings).find("set all three") != std::string::npos);
  }
  settings = tls();
  settings.listen = "tcp:nowhere";
  CHECK(cause(settings).find("must be tcp:host:port") != std::string::npos);
}

}  // namespace
}  // namespace plexsphere::signing
