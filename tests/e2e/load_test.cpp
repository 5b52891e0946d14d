// plexd-sim as a load: many agents that come, live and leave, against two replicas.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/deployment.hpp"
#include "support/process.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr const char* kCheapProof =
    "[context.identity]\nargon2_memory_kib = 64\nargon2_passes = 1\n";

class Site {
 public:
  Site()
      : first_(deployment_.start_core(kCheapProof).url()),
        second_(deployment_.start_core(kCheapProof).url()),
        token_(files_.write("operator.token", deployment_.operator_token())) {}

  test_support::Completed run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(),
                     {"--token-file", token_.string(), "--url", first_, "--url", second_});
    return test_support::run(PLEXSPHERE_SIM, arguments, {}, 120s);
  }
  int count(const std::string& from_where) {
    return std::stoi(
        deployment_.postgres().query("SELECT count(*) FROM " + from_where, "plexsphere"));
  }
  std::string sql(const std::string& statement) {
    return deployment_.postgres().query(statement, "plexsphere");
  }
  bool chains_intact() {
    const json domains = deployment_.op().api().get("/v1/domains?limit=200").at("items");
    return std::ranges::all_of(domains, [this](const json& domain) {
      return deployment_.op().verify_chain(domain.at("id")).at("ok").get<bool>();
    });
  }

 private:
  e2e::Deployment deployment_;
  test_support::TempDir files_;
  std::string first_;
  std::string second_;
  std::filesystem::path token_;
};

}  // namespace

TEST_CASE("a fleet that comes, lives and leaves has no failure and leaves what it should",
          "[e2e]") {
  Site site;
  const auto done = site.run({"load", "--nodes", "12", "--domains", "3", "--workers", "6",
                              "--seconds", "5", "--churn", "0.1"});
  INFO(done.out << done.err);
  REQUIRE(done.code == 0);
  const json told = json::parse(done.out);

  CHECK(told.at("failed") == 0);
  CHECK(told.at("live") == 12);
  CHECK(told.at("listed") == 12);
  CHECK(told.at("events") == "pulled: signed_event_bus_not_provisioned");
  CHECK(told.at("deregistered") > 0);
  CHECK(told.at("enrolled").get<int>() == 12 + told.at("deregistered").get<int>());
  for (const char* operation :
       {"register", "heartbeat", "state", "endpoint", "capabilities", "put_report", "delete_report",
        "request_rotation", "rotate_key", "deregister", "list_nodes"}) {
    INFO(operation);
    REQUIRE(told.at("operations").contains(operation));
    CHECK(told.at("operations").at(operation).at("count") > 0);
    CHECK(told.at("operations").at(operation).at("p99_ms") > 0);
  }

  const int enrolled = told.at("enrolled");
  CHECK(site.count("identity.node") == enrolled);
  CHECK(site.count("identity.node WHERE state <> 'deregistered'") == 12);
  CHECK(site.count("identity.node_secret_key WHERE revoked_at IS NULL") == 12);
  CHECK(site.count("mesh.peer WHERE deregistered_at IS NULL") == 12);
  CHECK(site.count("mesh.address WHERE released_at IS NULL") == 12);
  CHECK(site.count("identity.bootstrap_token WHERE consumed_at IS NULL") == 0);
  CHECK(site.count("mesh.peer_key_rotation WHERE state = 'completed'") ==
        told.at("operations").at("rotate_key").at("count").get<int>());
  CHECK(site.chains_intact());
}

TEST_CASE("a load tells of what fails, and fails itself", "[e2e]") {
  Site site;
  // One Node ends behind its back.
  site.sql(
      "CREATE FUNCTION identity.forget() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN NEW.state := ''deregistered''; NEW.deregistered_at := now(); RETURN NEW; END'; "
      "CREATE TRIGGER forget BEFORE INSERT ON identity.node FOR EACH ROW "
      "WHEN (NEW.resource_handle = 'host-3') EXECUTE FUNCTION identity.forget()");
  const auto done =
      site.run({"load", "--nodes", "4", "--workers", "2", "--seconds", "1", "--churn", "0"});
  INFO(done.out << done.err);
  CHECK(done.code == 1);
  const json told = json::parse(done.out);
  CHECK(told.at("failed") > 0);
  CHECK(told.at("live") == 4);
  CHECK(told.at("listed") == 3);
  CHECK(told.at("operations").at("list_nodes").at("failed") == 1);
  CHECK_THAT(done.err, Catch::Contains("the server lists 3 Nodes"));
}
