// The auditor's guide, done as it says: its commands in its order, against the whole product.
#include <catch2/catch.hpp>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "e2e/deployment.hpp"
#include "sim/node.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto kSettings = "[context.audit]\ncheckpoint_interval = \"500ms\"\n";

// The ```sh blocks of each section, by its heading.
std::vector<std::pair<std::string, std::string>> sections() {
  std::istringstream page(
      test_support::read_file(PLEXSPHERE_SOURCE_DIR "/docs/contexts/audit/auditor.md"));
  std::vector<std::pair<std::string, std::string>> out;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) {
      out.emplace_back(line.substr(3), "");
    } else if (line.starts_with("```")) {
      inside = line == "```sh";
    } else if (inside) {
      REQUIRE_FALSE(out.empty());
      out.back().second += line + "\n";
    }
  }
  return out;
}

// A Domain that something has happened in, and its chains.
class Audited {
 public:
  Audited() : op_([this] { return deployment_.start_core(kSettings).url(), deployment_.op(); }()) {
    domain_ = op_.create_domain("acme", "10.7.0.0/24");
    project_ = op_.create_project(domain_, "edge");
    files_.write("auditor.token", deployment_.operator_token() + "\n");
    std::filesystem::permissions(files_.path() / "auditor.token",
                                 std::filesystem::perms::owner_read);
    go_on();
  }

  // Something more happens, and a checkpoint of either chain covers it.
  void go_on() {
    const auto domain = size("/v1/domains/" + domain_);
    const auto platform = size("/v1/platform");
    op_.create_resource(project_, "vm-" + std::to_string(domain));
    REQUIRE(test_support::wait_until(60s, [&] {
      return size("/v1/domains/" + domain_) > domain && size("/v1/platform") > platform;
    }));
  }

  // Runs the lines in a shell of the auditor's, in which earlier ones have assigned its variables.
  test_support::Completed shell(const std::string& lines) {
    test_support::Process::Options options;
    options.directory = files_.path();
    options.environment = {{"PLEXSPHERE_URL", op_.api().base()},
                           {"DOMAIN", domain_},
                           {"SIGNER_STATE", (deployment_.directory() / "signer-state").string()},
                           {"PATH", e2e::Deployment::binaries().string() + ":/usr/bin:/bin"}};
    const std::string script = variables_ + lines;
    std::istringstream each(lines);
    for (std::string line; std::getline(each, line);) {
      if (line.starts_with("KEY")) {
        variables_ += line + "\n";
      }
    }
    return test_support::run("/bin/bash", {"-euo", "pipefail", "-c", script}, options);
  }

  std::string file(const std::string& name) const {
    return test_support::read_file(files_.path() / name);
  }
  const std::string& domain() const { return domain_; }

 private:
  std::uint64_t size(const std::string& chain) const {
    const json all = op_.api().get(chain + "/audit/checkpoints?limit=200");
    return all.at("items").empty() ? 0 : all.at("items").back().at("size").get<std::uint64_t>();
  }
  e2e::Deployment deployment_;
  sim::Operator op_;
  std::string domain_;
  std::string project_;
  test_support::TempDir files_;
  std::string variables_;  // as the sections so far have assigned them
};

}  // namespace

TEST_CASE("an auditor who follows the guide finds a chain that holds, and can say why", "[e2e]") {
  Audited audited;
  const auto all = sections();
  REQUIRE(all.size() == 5);
  std::map<std::string, std::string> told;
  for (const auto& [heading, commands] : all) {
    INFO(heading);
    if (heading.starts_with("The next visit")) {
      audited.go_on();
    }
    const auto done = audited.shell(commands);
    INFO(done.out);
    INFO(done.err);
    REQUIRE(done.code == 0);
    told[heading.substr(0, 8)] = done.out;
  }
  CHECK(told.at("Every vi").find("intact") != std::string::npos);
  CHECK(told.at("One entr").find("\"seq\":1,") != std::string::npos);
  CHECK(told.at("One entr").find("Signature Verified Successfully") != std::string::npos);
  CHECK(audited.file("first.note") != audited.file("second.note"));
  CHECK(audited.file("keys.txt").find("/domain:" + audited.domain() + "+") != std::string::npos);

  // At most the newest signature on either chain is not accounted for yet.
  std::istringstream open(audited.file("open.txt"));
  int count = 0;
  for (std::string line; std::getline(open, line); ++count) {
    CHECK(line.find(" checkpoints ") != std::string::npos);
  }
  CHECK(count <= 2);
  CHECK(audited.file("account.txt").find("contradicted") == std::string::npos);
  CHECK(audited.file("account.txt").find("\ninstance ") != std::string::npos);
}
