#include "host/config/manifest.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::host::config {
namespace {

const std::string kHead =
    "[plugin]\nid = \"mesh\"\nversion = \"1.0.0\"\nabi = \"1.0\"\nsummary = \"Mesh\"\n";

std::string only_issue(const std::string& text) {
  const auto result = parse_manifest(text, "plugin.toml");
  REQUIRE(result.issues.size() == 1);
  return result.issues.front().text();
}

TEST_CASE("a complete manifest is read", "[config]") {
  const auto result = parse_manifest(
      kHead +
          "[ports]\nrequires = [\"px.audit/1\"]\nprovides = [\"px.ipam/1\"]\n"
          "[capabilities]\nroutes = true\nschema = true\nevents = [\"DomainCreated\"]\n"
          "[config.interval]\ntype = \"duration\"\ndefault = \"30s\"\nminimum = \"10s\"\n"
          "[[routes]]\nmethod = \"GET\"\npath = \"/v1/nodes/{node_id}/state\"\n"
          "disabled_code = \"state_not_provisioned\"\n",
      "plugin.toml");
  REQUIRE(result.issues.empty());
  const auto& manifest = result.manifest;
  CHECK(manifest.id == "mesh");
  CHECK(manifest.abi == AbiVersion{1, 0});
  CHECK(manifest.required_ports == std::vector<std::string>{"px.audit/1"});
  CHECK(manifest.capabilities.schema);
  CHECK_FALSE(manifest.capabilities.audit);
  REQUIRE(manifest.config_keys.size() == 1);
  CHECK(manifest.config_keys[0].minimum == 10'000);
  REQUIRE(manifest.routes.size() == 1);
  CHECK(manifest.routes[0].disabled_code == "state_not_provisioned");
}

TEST_CASE("a manifest without its required keys names each of them", "[config]") {
  CHECK(parse_manifest("", "plugin.toml").issues.size() == 4);
  CHECK(only_issue("[plugin]\nid = \"mesh\"\nversion = \"1.0.0\"\nsummary = \"Mesh\"\n") ==
        "plugin.toml:1: [plugin] abi is required but not set: add abi = \"text\" under [plugin]");
}

TEST_CASE("badly formed manifest values are refused with their line", "[config]") {
  CHECK(only_issue("[plugin]\nid = \"Mesh\"\nversion = \"1.0.0\"\nabi = \"1.0\"\nsummary = \"x\"\n")
            .rfind("plugin.toml:2: 'id' is badly formed", 0) == 0);
  CHECK(only_issue(kHead + "[ports]\nrequires = [\"audit\"]\n")
            .rfind("plugin.toml:7: 'requires' has the badly formed item 'audit'", 0) == 0);
  CHECK(only_issue(kHead + "[extra]\n").rfind("plugin.toml:6: a manifest has no 'extra'", 0) == 0);
  CHECK(only_issue(kHead + "[config.a]\ntype = \"text\"\n").find("needs a known type") !=
        std::string::npos);
  CHECK(only_issue(kHead + "[config.enabled]\ntype = \"boolean\"\n").find("host's own key") !=
        std::string::npos);
}

TEST_CASE("a manifest asks for origins, or for those the operator grants", "[config]") {
  const auto asks = [](const std::string& items) {
    return kHead + "[capabilities]\negress = [" + items + "]\n";
  };
  CHECK(parse_manifest(asks("\"*\""), "plugin.toml").manifest.capabilities.egress ==
        std::vector<std::string>{"*"});
  CHECK(parse_manifest(asks("\"https://api.example\""), "plugin.toml").issues.empty());
  CHECK(only_issue(asks("\"api.example\""))
            .rfind("plugin.toml:7: 'egress' has the badly formed item 'api.example'", 0) == 0);
  for (const std::string key : {"egress", "egress_ca_file", "egress_anything"}) {
    CHECK(only_issue(kHead + "[config." + key + "]\ntype = \"string\"\n")
              .find("'" + key + "' is the host's own key") != std::string::npos);
  }
}

TEST_CASE("routes need the capability and stand once", "[config]") {
  const std::string route =
      "[[routes]]\nmethod = \"GET\"\npath = \"/v1/x\"\ndisabled_code = \"x_not_provisioned\"\n";
  CHECK(only_issue(kHead + route).find("does not ask for the capability") != std::string::npos);
  CHECK(
      only_issue(kHead + "[capabilities]\nroutes = true\n" + route + route).find("listed twice") !=
      std::string::npos);
}

}  // namespace
}  // namespace plexsphere::host::config
