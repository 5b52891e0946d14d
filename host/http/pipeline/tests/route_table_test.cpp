#include "host/http/pipeline/route_table.hpp"

#include <catch2/catch.hpp>

#include "host/base/wire_text.hpp"

namespace plexsphere::host::http {
namespace {

Route route(const std::string& method, const std::string& path, const std::string& owner = "p") {
  Route out;
  out.owner = owner;
  out.method = method;
  out.path = path;
  return out;
}

std::string matched(const RouteTable& table, const char* method, const char* path) {
  const Match match = table.match(method, path);
  if (match.route == nullptr) {
    std::string allowed;
    for (const auto& name : match.allowed) {
      allowed += std::string(name) + " ";
    }
    return allowed;
  }
  std::string out = match.route->path;
  for (const auto& [name, value] : match.parameters()) {
    out += " " + text(name) + "=" + text(value);
  }
  return out;
}

TEST_CASE("literal segments win and parameters are tried when they lead nowhere", "[http]") {
  RouteTable table;
  for (const char* path : {"/v1/domains/lookup", "/v1/domains/{id}", "/v1/domains/{id}/nodes",
                           "/v1/domains/{domain_id}/nodes/{node_id}", "/"}) {
    REQUIRE(table.add(route("GET", path)).ok());
  }
  REQUIRE(table.add(route("DELETE", "/v1/domains/{id}")).ok());
  CHECK(matched(table, "GET", "/v1/domains/lookup") == "/v1/domains/lookup");
  CHECK(matched(table, "GET", "/v1/domains/7") == "/v1/domains/{id} id=7");
  CHECK(matched(table, "GET", "/v1/domains/lookup/nodes") == "/v1/domains/{id}/nodes id=lookup");
  CHECK(matched(table, "GET", "/v1/domains/a%20b/nodes/%41") ==
        "/v1/domains/{domain_id}/nodes/{node_id} domain_id=a b node_id=A");
  CHECK(matched(table, "GET", "/") == "/");
  CHECK(matched(table, "HEAD", "/v1/domains/7") == "/v1/domains/{id} id=7");
  CHECK(matched(table, "POST", "/v1/domains/7") == "DELETE GET HEAD ");
  for (const char* none : {"", "v1", "/v1", "/v1/domains", "/v1/domains/", "/v1/domains/7/",
                           "/v1/domains//nodes", "/v1/domains/%zz", "/v1/domains/%00"}) {
    CHECK(matched(table, "GET", none).empty());
  }
}

TEST_CASE("a path of absurd depth is no path of ours", "[http]") {
  RouteTable table;
  REQUIRE(table.add(route("GET", "/a")).ok());
  std::string deep;
  for (int i = 0; i < 100'000; ++i) {
    deep += "/a";
  }
  CHECK(table.match("GET", deep).route == nullptr);
}

TEST_CASE("badly formed and colliding templates are refused", "[http]") {
  RouteTable table;
  REQUIRE(table.add(route("GET", "/v1/{a}/b", "first")).ok());
  for (const char* bad : {"", "v1", "/v1/{a}/{a}", "/v1/{", "/v1/x{a}", "/v1//x", "/v1/a?b",
                          "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"}) {
    CHECK(table.add(route("GET", bad)).code() == Code::kInvalidArgument);
  }
  CHECK(table.add(route("FETCH", "/v1")).code() == Code::kInvalidArgument);
  const auto taken = table.add(route("GET", "/v1/{other}/b", "second"));
  CHECK(taken.code() == Code::kAlreadyExists);
  CHECK(taken.message().find("already taken by 'first'") != std::string::npos);
}

}  // namespace
}  // namespace plexsphere::host::http
