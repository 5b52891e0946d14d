// Checkpoints of the audit log and proofs against them, which the contract does not have: every
// status and code of our own document but 500 and the outages.
#include <catch2/catch.hpp>

#include "contract/site.hpp"
#include "contract/specification.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using contract::hold;
using contract::kNobody;
using contract::Site;
using namespace std::chrono_literals;

namespace {

// A deployment that signs often, with two checkpoints of the Domain's chain.
Site& signed_site() {
  static Site site(e2e::Deployment::Options{
      .core_settings = "[context.audit]\nenabled = true\ncheckpoint_interval = \"200ms\"\n",
      .disabled = {"audit"}});  // by the file that this is appended to
  static const bool ready = [] {
    const std::string list = "/v1/domains/" + site.domain() + "/audit/checkpoints";
    return test_support::wait_until(60s, [&] {  // each look is an entry, and calls for the next
      return site.op().call("GET", list).body.at("items").size() >= 2;
    });
  }();
  REQUIRE(ready);
  return site;
}

}  // namespace

TEST_CASE("checkpoints and proofs of a Domain's chain", "[contract][audit]") {
  Site& site = signed_site();
  const auto op = site.op();
  const std::string chain = "/v1/domains/" + site.domain() + "/audit/";
  const std::string nowhere = std::string("/v1/domains/") + kNobody + "/audit/";
  for (const std::string rest : {"checkpoint", "checkpoints", "records", "proofs/inclusion?seq=1",
                                 "proofs/consistency?from=1"}) {
    hold({
        {"401 unauthenticated", site.anybody(), "GET", chain + rest},
        {"403 permission_denied", site.stranger(), "GET", chain + rest},
        {"400 invalid_domain_id", op, "GET", "/v1/domains/x/audit/" + rest},
        {"404 not_found", op, "GET", nowhere + rest},
        {"200", op, "GET", chain + rest},
    });
  }
  hold({
      {"400 invalid_size", op, "GET", chain + "checkpoint?size=0"},
      {"404 checkpoint_not_found", op, "GET", chain + "checkpoint?size=999999999"},
      {"400 invalid_cursor", op, "GET", chain + "checkpoints?cursor=x"},
      {"400 invalid_limit", op, "GET", chain + "checkpoints?limit=201"},
      {"400 invalid_seq", op, "GET", chain + "records?from=0"},
      {"400 invalid_limit", op, "GET", chain + "records?limit=0"},
      {"400 invalid_seq", op, "GET", chain + "proofs/inclusion"},
      {"400 invalid_seq", op, "GET", chain + "proofs/inclusion?seq=2&size=1"},
      {"400 invalid_size", op, "GET", chain + "proofs/inclusion?seq=1&size=x"},
      {"404 checkpoint_not_found", op, "GET", chain + "proofs/inclusion?seq=1&size=999999999"},
      {"400 invalid_size", op, "GET", chain + "proofs/consistency"},
      {"400 invalid_size", op, "GET", chain + "proofs/consistency?from=2&to=1"},
      {"404 checkpoint_not_found", op, "GET", chain + "proofs/consistency?from=1&to=999999999"},
  });
}

TEST_CASE("checkpoints and proofs of the platform's chain", "[contract][audit]") {
  Site& site = signed_site();
  const auto op = site.op();
  const std::string chain = "/v1/platform/audit/";
  // The platform's key is made with its first checkpoint.
  REQUIRE(test_support::wait_until(
      60s, [&] { return op.call("GET", chain + "checkpoint").status == 200; }));
  for (const std::string rest : {"checkpoint", "checkpoints", "records", "proofs/inclusion?seq=1",
                                 "proofs/consistency?from=1"}) {
    hold({
        {"401 unauthenticated", site.anybody(), "GET", chain + rest},
        {"403 permission_denied", site.stranger(), "GET", chain + rest},
        {"200", op, "GET", chain + rest},
    });
  }
  hold({
      {"400 invalid_size", op, "GET", chain + "checkpoint?size=x"},
      {"404 checkpoint_not_found", op, "GET", chain + "checkpoint?size=999999999"},
      {"400 invalid_cursor", op, "GET", chain + "checkpoints?cursor=x"},
      {"400 invalid_limit", op, "GET", chain + "checkpoints?limit=x"},
      {"400 invalid_seq", op, "GET", chain + "records?from=x"},
      {"400 invalid_limit", op, "GET", chain + "records?limit=x"},
      {"400 invalid_seq", op, "GET", chain + "proofs/inclusion?seq=x"},
      {"400 invalid_size", op, "GET", chain + "proofs/consistency?from=x"},
  });
}
