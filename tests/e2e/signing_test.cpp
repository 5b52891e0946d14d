// Signing as an operator meets it: the signer's process, and what the core answers when its record
// of keys is not to be believed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "e2e/deployment.hpp"
#include "e2e/signer_process.hpp"
#include "sim/node.hpp"
#include "support/http_client.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;

namespace {

// The plugins a log line of this event names.
std::vector<std::string> plugins_in(const std::string& log, const std::string& event) {
  std::vector<std::string> found;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_object() && entry.value("event", "") == event) {
      found.push_back(entry.value("plugin", ""));
    }
  }
  return found;
}

// "enrolled", or status and code of the refusal.
std::string enrol(const std::string& url, const sim::Enrolment& request) {
  try {
    (void)sim::Node::enrol(url, request);
    return "enrolled";
  } catch (const sim::ApiError& e) {
    return std::to_string(e.status()) + " " + e.code();
  }
}

}  // namespace

TEST_CASE("the signer loads its one plugin from a directory full of others", "[e2e]") {
  e2e::SignerProcess signer(e2e::Deployment::binaries().parent_path());
  CHECK(plugins_in(signer.log(), "plugin.running") == std::vector<std::string>{"signing"});
  const auto refused = plugins_in(signer.log(), "plugin.refused");
  CHECK(refused.size() >= 7);
  CHECK(std::find(refused.begin(), refused.end(), "signing_client") != refused.end());
  CHECK(std::find(refused.begin(), refused.end(), "signing") == refused.end());

  const test_support::HttpClient http(5s);
  const auto ready = http.request("GET", signer.http() + "/readyz");
  CHECK(ready.status == 200);
  CHECK(ready.body.find("dev-only software key provider") != std::string::npos);
  CHECK(signer.stop() == 0);
  // Asking for another one by name is an error, not something to pass over.
  CHECK_THROWS_WITH(signer.start("[context.audit]\nenabled = true\n"),
                    Catch::Contains("this process loads only 'signing'"));
}

TEST_CASE("the core never loads the signing plugin, even when told to", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.signer = false});
  const std::string enable = "[context.signing]\nenabled = true\nseed_file = \"" +
                             (deployment.directory() / "signer.seed").string() + "\"\n";
  CHECK_THROWS_WITH(deployment.launch_core(enable),
                    Catch::Contains("this process never loads 'signing'"));
  e2e::Core& core = deployment.start_core();
  CHECK(core.process().err().find("this process never loads 'signing'") != std::string::npos);
}

TEST_CASE("a changed key set of a Domain stops its enrolments and nobody else's", "[e2e]") {
  e2e::Deployment deployment;
  e2e::Core& core = deployment.start_core("[context.signing_client]\ncache = \"0s\"\n");
  const sim::Operator op = deployment.op();
  const auto prepare = [&](const std::string& slug, const std::string& cidr) {
    const std::string project = op.create_project(op.create_domain(slug, cidr), "edge");
    op.create_resource(project, "a");
    return sim::Enrolment{project, "a", op.issue_token(project), sim::make_nonce()};
  };
  const sim::Enrolment honest = prepare("honest", "10.7.0.0/24");
  const sim::Enrolment forged = prepare("forged", "10.8.0.0/24");
  const auto change = [&](const std::string& set) {
    deployment.postgres().query(
        "UPDATE signing_client.key_set SET " + set +
            " WHERE scope = 'domain:' || (SELECT id FROM tenancy.domains WHERE slug = 'forged')",
        "plexsphere");
  };
  const std::string swap = "signature = set_byte(signature, 5, get_byte(signature, 5) # 1)";
  change(swap);
  CHECK(enrol(core.url(), forged) == "503 signing_unavailable");
  CHECK(enrol(core.url(), honest) == "enrolled");
  CHECK(core.process().err().find("signing_key_set_refused") != std::string::npos);
  // Put right, the same token serves: the refusal consumed nothing.
  change(swap);
  CHECK(enrol(core.url(), forged) == "enrolled");
}
