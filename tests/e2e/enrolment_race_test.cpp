// Many at once: one token has one winner, and no two Nodes get one address.
#include <barrier>
#include <catch2/catch.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "e2e/enrolment_site.hpp"

using namespace plexsphere;
using e2e::Answer;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

constexpr int kClients = 50;

// Sends every request at the same moment, each from a thread of its own; an overloaded server may
// ask to come back, as an agent would. `urls` are taken in turn.
std::vector<Answer> race(const std::vector<std::string>& urls, const std::vector<json>& requests) {
  std::barrier start(static_cast<std::ptrdiff_t>(requests.size()));
  std::vector<Answer> answers(requests.size());
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    clients.emplace_back([&, i] {
      const std::string& url = urls[i % urls.size()];
      start.arrive_and_wait();
      for (int attempt = 0; attempt < 20; ++attempt) {
        answers[i] = EnrolmentSite::register_at(url, requests[i].dump());
        if (answers[i].status != 503) {
          break;
        }
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  return answers;
}

}  // namespace

TEST_CASE("of fifty clients with one token, on two replicas, exactly one gets in", "[e2e]") {
  EnrolmentSite site;
  const std::string second = site.deployment().start_core().url();
  const json one = site.fresh_request("vm-1");
  std::vector<json> requests(kClients, one);
  for (json& request : requests) {
    request["nonce"] = sim::make_nonce();
    request["public_key"] = sim::make_mesh_key().public_key;
  }
  std::map<std::string, int> outcomes;
  for (const Answer& answer : race({site.url(), second}, requests)) {
    ++outcomes[answer.status == 201 ? "enrolled" : answer.code];
  }
  CHECK(outcomes == std::map<std::string, int>{{"enrolled", 1}, {"token_consumed", kClients - 1}});
  CHECK(site.count("identity.node") == 1);
  CHECK(site.count("mesh.peer") == 1);
  CHECK(site.op().count_audit_rows(site.domain(), "node.register") == 1);
  CHECK(site.op().verify_chain(site.domain()).at("ok") == true);
}

TEST_CASE("fifty nodes that enrol at once, on two replicas, get fifty addresses", "[e2e]") {
  EnrolmentSite site;
  const std::string second = site.deployment().start_core().url();
  std::vector<json> requests;
  for (int i = 0; i < kClients; ++i) {
    requests.push_back(site.fresh_request("vm-" + std::to_string(i)));
  }
  std::set<std::string> addresses;
  std::set<std::string> ids;
  for (const Answer& answer : race({site.url(), second}, requests)) {
    INFO(answer.body.dump());
    REQUIRE(answer.status == 201);
    addresses.insert(answer.body.at("mesh_ip"));
    ids.insert(answer.body.at("node_id"));
  }
  CHECK(addresses.size() == kClients);
  CHECK(ids.size() == kClients);
  CHECK(site.count("identity.node") == kClients);
  CHECK(site.count("mesh.peer") == kClients);
  CHECK(site.op().verify_chain(site.domain()).at("ok") == true);

  const auto listed = site.op().api().get("/v1/nodes?limit=200&domain_id=" + site.domain());
  CHECK(listed.at("items").size() == kClients);
}
