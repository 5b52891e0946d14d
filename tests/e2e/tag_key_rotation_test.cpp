// The key that tags bootstrap tokens is rotated: tokens of the key before are good for a day.
#include <catch2/catch.hpp>

#include "e2e/enrolment_site.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

std::string with_version(int version) {
  return "[context.identity]\ntoken_sweep_interval = \"1s\"\ntoken_tag_key_version = " +
         std::to_string(version) + "\n";
}

std::string outcome(const std::string& url, const json& request) {
  const auto answer = EnrolmentSite::register_at(url, request.dump());
  return std::to_string(answer.status) + (answer.code.empty() ? "" : " " + answer.code);
}

}  // namespace

TEST_CASE("a token of the tag key before is taken for a day from the rotation on", "[e2e]") {
  EnrolmentSite site("10.7.0.0/16", with_version(1));
  const auto on_record = [&](int version) {
    return test_support::wait_until(20s, [&] {
      return site.count("identity.token_tag_key WHERE version = " + std::to_string(version)) == 1;
    });
  };
  REQUIRE(on_record(1));
  const json first = site.fresh_request("first");
  const json second = site.fresh_request("second");
  json third = site.fresh_request("third");

  // While replicas of both versions run, each takes the other's tokens.
  const std::string rolled = site.deployment().start_core(with_version(2)).url();
  CHECK(outcome(rolled, first) == "201");
  json newer = site.fresh_request("newer");
  newer["bootstrap_token"] =
      sim::Operator(rolled, site.deployment().operator_token()).issue_token(site.project());
  CHECK(outcome(site.url(), newer) == "201");
  site.core().terminate();
  REQUIRE(on_record(2));

  site.sql(
      "UPDATE identity.token_tag_key SET first_used_at = now() - interval '24 hours' + "
      "interval '1 minute' WHERE version = 2");
  const std::string within = site.deployment().start_core(with_version(2)).url();
  CHECK(outcome(within, second) == "201");

  site.sql(
      "UPDATE identity.token_tag_key SET first_used_at = now() - interval '24 hours 1 second' "
      "WHERE version = 2");
  const std::string after = site.deployment().start_core(with_version(2)).url();
  CHECK(outcome(after, third) == "403 token_invalid");
  const sim::Operator op(after, site.deployment().operator_token());
  third["bootstrap_token"] = op.issue_token(site.project());
  CHECK(outcome(after, third) == "201");
}
