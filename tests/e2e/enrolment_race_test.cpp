// Many at once: one token has one winner, one request has one Node, however often it is sent.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "e2e/race.hpp"

using namespace plexsphere;
using e2e::Answer;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

constexpr int kClients = 200;
constexpr int kCopies = 5;
constexpr int kNodes = 50;

std::map<std::string, int> outcomes_of(const std::vector<Answer>& answers) {
  std::map<std::string, int> outcomes;
  for (const Answer& answer : answers) {
    ++outcomes[answer.status == 201 ? "enrolled" : answer.code];
  }
  return outcomes;
}

// What the key that an answer told gets: status and code.
std::string use(const EnrolmentSite& site, const Answer& told) {
  const auto bearer = sim::bearer_of(told.body.at("node_id"), told.body.at("nsk"));
  const auto answer =
      sim::Api(site.url(), bearer)
          .raw("GET", "/v1/nodes/" + told.body.at("node_id").get<std::string>() + "/state");
  return answer.status == 200 ? "200"
                              : std::to_string(answer.status) + " " +
                                    json::parse(answer.body, nullptr, false).value("code", "");
}

// True when the key is the newest that the Node has, by the database's word.
bool is_newest(EnrolmentSite& site, const Answer& told) {
  return site.sql(
             "SELECT generation = (SELECT max(generation) FROM identity.node_secret_key "
             "WHERE node_id = k.node_id) FROM identity.node_secret_key k WHERE digest = "
             "sha256(decode('" +
             told.body.at("nsk").get<std::string>() + "', 'base64'))") == "t";
}

}  // namespace

TEST_CASE("of two hundred clients with one token, on two replicas, exactly one gets in, each time",
          "[e2e]") {
  EnrolmentSite site("10.7.0.0/16", e2e::kCheapProof);
  const std::string second = site.deployment().start_core(e2e::kCheapProof).url();
  const int rounds = e2e::race_rounds(50);
  for (int round = 1; round <= rounds; ++round) {
    std::vector<json> requests(kClients, site.fresh_request("vm-" + std::to_string(round)));
    for (json& request : requests) {
      request["nonce"] = sim::make_nonce();
      request["public_key"] = sim::make_mesh_key().public_key;
    }
    INFO("round " << round);
    REQUIRE(outcomes_of(e2e::race({site.url(), second}, requests)) ==
            std::map<std::string, int>{{"enrolled", 1}, {"token_consumed", kClients - 1}});
    REQUIRE(site.count("identity.node") == round);
  }
  CHECK(site.count("mesh.peer") == rounds);
  CHECK(site.count("mesh.address WHERE released_at IS NULL") == rounds);
  CHECK(site.count("audit.audit_log_entry WHERE relation = 'node.register'") == rounds);
  CHECK(site.op().verify_chain(site.domain()).at("ok") == true);
}

TEST_CASE("five copies of one request at once, on two replicas: one Node, and the last key is it",
          "[e2e]") {
  EnrolmentSite site("10.7.0.0/16", e2e::kCheapProof);
  const std::string second = site.deployment().start_core(e2e::kCheapProof).url();
  const int rounds = e2e::race_rounds(50);
  for (int round = 1; round <= rounds; ++round) {
    const std::vector<json> copies(kCopies, site.fresh_request("vm-" + std::to_string(round)));
    const auto answers = e2e::race({site.url(), second}, copies);
    INFO("round " << round);
    REQUIRE(outcomes_of(answers) == std::map<std::string, int>{{"enrolled", kCopies}});
    REQUIRE(site.count("identity.node") == round);
    std::map<std::string, int> uses;
    for (const Answer& answer : answers) {
      REQUIRE(answer.body.at("node_id") == answers[0].body.at("node_id"));
      const std::string got = use(site, answer);
      REQUIRE(is_newest(site, answer) == (got == "200"));
      ++uses[got];
    }
    REQUIRE(uses == std::map<std::string, int>{{"200", 1}, {"401 nsk_revoked", kCopies - 1}});
  }
}

TEST_CASE("fifty nodes that enrol at once, on two replicas, get fifty addresses", "[e2e]") {
  EnrolmentSite site;  // with proofs at their full cost
  const std::string second = site.deployment().start_core().url();
  std::vector<json> requests;
  for (int i = 0; i < kNodes; ++i) {
    requests.push_back(site.fresh_request("vm-" + std::to_string(i)));
  }
  std::set<std::string> addresses;
  std::set<std::string> ids;
  for (const Answer& answer : e2e::race({site.url(), second}, requests)) {
    INFO(answer.body.dump());
    REQUIRE(answer.status == 201);
    addresses.insert(answer.body.at("mesh_ip"));
    ids.insert(answer.body.at("node_id"));
  }
  CHECK(addresses.size() == kNodes);
  CHECK(ids.size() == kNodes);
  CHECK(site.count("identity.node") == kNodes);
  CHECK(site.count("mesh.peer") == kNodes);
  CHECK(site.op().verify_chain(site.domain()).at("ok") == true);

  const auto listed = site.op().api().get("/v1/nodes?limit=200&domain_id=" + site.domain());
  CHECK(listed.at("items").size() == kNodes);
}
