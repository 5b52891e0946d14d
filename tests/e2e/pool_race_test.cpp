// The address pool under pressure, over HTTP: nothing is given twice, nothing is lost.
#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "e2e/race.hpp"

using namespace plexsphere;
using e2e::Answer;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

std::vector<json> fresh_requests(const EnrolmentSite& site, const std::string& prefix, int count) {
  std::vector<json> requests(static_cast<std::size_t>(count));
  std::atomic<std::size_t> next{0};
  std::vector<std::jthread> operators;
  for (int i = 0; i < 4; ++i) {
    operators.emplace_back([&] {
      for (std::size_t n = next++; n < requests.size(); n = next++) {
        requests[n] = site.fresh_request(prefix + std::to_string(n));
      }
    });
  }
  operators.clear();
  return requests;
}

// Every host address of 10.9.0.0/<prefix> but the first, which is the Domain's own.
std::set<std::string> usable_addresses(int last) {
  std::set<std::string> all;
  for (int host = 2; host <= last; ++host) {
    all.insert("10.9.0." + std::to_string(host));
  }
  return all;
}

struct Split {
  std::set<std::string> addresses;
  std::size_t enrolled = 0;
  std::map<std::string, int> refusals;  // "503 pool_exhausted"
};

Split split(const std::vector<Answer>& answers) {
  Split out;
  for (const Answer& answer : answers) {
    if (answer.status == 201) {
      ++out.enrolled;
      out.addresses.insert(answer.body.at("mesh_ip"));
    } else {
      ++out.refusals[std::to_string(answer.status) + " " + answer.code];
    }
  }
  return out;
}

std::string text_of(int status, const std::string& code) {
  return std::to_string(status) + (code.empty() ? "" : " " + code);
}

// Registers and deregisters with the key it was told. Both outcomes: "201, 200".
std::string come_and_go(const EnrolmentSite& site, const json& request) {
  const Answer in = site.register_node(request);
  if (in.status != 201) {
    return text_of(in.status, in.code);
  }
  const std::string id = in.body.at("node_id");
  const auto out = sim::Api(site.url(), sim::bearer_of(id, in.body.at("nsk")))
                       .raw("POST", "/v1/nodes/" + id + "/deregister");
  const auto body = json::parse(out.body, nullptr, false);
  return "201, " + text_of(out.status, body.is_object() ? body.value("code", "") : "");
}

}  // namespace

TEST_CASE("three hundred joiners into a /24 get every usable address once, the rest a clean 503",
          "[e2e]") {
  EnrolmentSite site("10.9.0.0/24", e2e::kCheapProof);
  const std::string second = site.deployment().start_core(e2e::kCheapProof).url();
  const auto outcome = split(e2e::race({site.url(), second}, fresh_requests(site, "vm-", 300)));
  CHECK(outcome.addresses == usable_addresses(254));
  CHECK(outcome.enrolled == 253);
  CHECK(outcome.refusals == std::map<std::string, int>{{"503 pool_exhausted", 47}});
  CHECK(site.consumed_tokens() == 253);
  CHECK(site.count("identity.node") == 253);
  // 203 of 253 are past 80 percent, 241 past 95: told once each, however many raced.
  CHECK(site.count("platform.outbox WHERE event_type = 'mesh.AddressPoolThresholdCrossed'") == 2);
  CHECK(site.count("mesh.address_pool WHERE used = 253 AND capacity = 253") == 1);
}

TEST_CASE("ten times a pool's size may come and go without a cool-down, and nothing leaks",
          "[e2e]") {
  const std::string settings =
      std::string(e2e::kCheapProof) + "[context.mesh]\naddress_cool_down = \"0s\"\n";
  EnrolmentSite site("10.9.0.0/28", settings);
  const std::set<std::string> pool = usable_addresses(14);
  const auto requests = fresh_requests(site, "guest-", static_cast<int>(10 * pool.size()));
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  json outcomes = json::object();  // under mutex; how many by outcome
  {
    std::vector<std::jthread> guests;
    for (int i = 0; i < 8; ++i) {
      guests.emplace_back([&] {
        for (std::size_t n = next++; n < requests.size(); n = next++) {
          const std::string outcome = come_and_go(site, requests[n]);
          const std::lock_guard lock(mutex);
          outcomes[outcome] = outcomes.value(outcome, 0) + 1;
        }
      });
    }
  }
  REQUIRE(outcomes.dump() == json{{"201, 200", requests.size()}}.dump());
  CHECK(site.count("mesh.address WHERE released_at IS NULL") == 0);
  CHECK(site.count("mesh.address_pool WHERE used = 0 AND alarm_percent = 0") == 1);
  CHECK(site.count("mesh.address") <= static_cast<int>(pool.size()));

  const auto stayers = fresh_requests(site, "stayer-", static_cast<int>(pool.size()) + 1);
  const auto outcome = split(e2e::race({site.url()}, stayers));
  CHECK(outcome.addresses == pool);
  CHECK(outcome.enrolled == pool.size());
  CHECK(outcome.refusals == std::map<std::string, int>{{"503 pool_exhausted", 1}});
}
