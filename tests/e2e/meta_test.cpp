#include <catch2/catch.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "e2e/deployment.hpp"

using namespace plexsphere;
using nlohmann::json;

TEST_CASE("the process tells anybody its health, its build and its API", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.durable = true});
  const sim::Api anybody(deployment.start_core().url(), "");

  SECTION("health sums up the probes") {
    const auto health = anybody.get("/v1/health");
    CHECK(health.at("status") == "ok");
    CHECK_FALSE(health.at("checks").empty());
  }

  SECTION("health is 503 with the same document while the database is away") {
    deployment.postgres().kill9();
    const auto down = e2e::wait_for_status(anybody.base() + "/v1/health", 503);
    CHECK(down.status == 503);
    CHECK(json::parse(down.body).at("status") == "down");
    deployment.postgres().start();
    CHECK(e2e::wait_for_status(anybody.base() + "/v1/health", 200).status == 200);
  }

  SECTION("version has the three build facts") {
    const auto version = anybody.get("/v1/version");
    for (const char* fact : {"version", "commit", "date"}) {
      CHECK_FALSE(version.at(fact).get<std::string>().empty());
    }
  }

  SECTION("the API description covers every context that runs") {
    const auto document = anybody.get("/v1/openapi.json");
    CHECK(document.at("openapi") == "3.1.0");
    CHECK(document.at("info").at("version") == anybody.get("/v1/version").at("version"));
    for (const char* path : {"/v1/register", "/v1/domains", "/v1/nodes/{id}/heartbeat"}) {
      CHECK(document.at("paths").contains(path));
    }
  }

  SECTION("operators of the platform see what became of every plugin, and nobody else does") {
    CHECK(anybody.raw("GET", "/v1/admin/plugins").status == 401);
    const auto plugins = deployment.op().api().get("/v1/admin/plugins").at("items");
    const auto state_of = [&plugins](const std::string& id) {
      const auto found =
          std::ranges::find_if(plugins, [&id](const json& one) { return one.at("id") == id; });
      return found == plugins.end() ? json() : found->at("state");
    };
    CHECK(state_of("meta") == "running");
    CHECK(state_of("audit") == "running");
    CHECK(state_of("signing") == "rejected");
    CHECK(plugins.at(0).at("version").get<std::string>().find('.') != std::string::npos);
  }

  SECTION("the docs page says that it is not there") {
    for (const char* path : {"/v1/docs", "/v1/docs/assets/redoc.standalone.js"}) {
      const auto docs = anybody.raw("GET", path);
      CHECK(docs.status == 501);
      CHECK(json::parse(docs.body).at("code") == "docs_not_provisioned");
    }
  }
}
