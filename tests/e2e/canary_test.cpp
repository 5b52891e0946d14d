// Where secrets are looked for after they were used: logs, a dump of the database, the files under
// it, and the memory of the core.
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "e2e/enrolment_site.hpp"
#include "e2e/memory_search.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "support/pg_template.hpp"

using namespace plexsphere;
using e2e::Needle;
using nlohmann::json;

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPublicPart = 10;  // of a token's random bytes: the selector it is found by
constexpr auto kLimit = 60s;             // after use, under continuing traffic

// The forms in which a secret of these raw bytes could lie somewhere.
void add_forms(std::vector<Needle>& needles, const std::string& name, const std::string& raw) {
  needles.push_back({name + ", raw", raw});
  needles.push_back({name + ", hex", sdk::hex_encode(raw)});
  needles.push_back({name + ", base64", sdk::base64_encode(raw)});
}

std::vector<Needle> needles_of(const std::string& token, const json& answer) {
  std::vector<Needle> needles;
  const std::string random = token.substr(token.rfind('_') + 1);
  needles.push_back({"token", random});
  add_forms(needles, "token", sdk::base32_decode(random).value().substr(kPublicPart));
  const std::string nsk = sdk::base64_decode(answer.at("nsk").get<std::string>()).value();
  add_forms(needles, "nsk", nsk);
  const std::string bearer = sim::bearer_of(answer.at("node_id"), answer.at("nsk"));
  needles.push_back({"bearer", bearer.substr(bearer.size() - 40)});
  return needles;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> found_below(const std::filesystem::path& directory,
                                     const std::vector<Needle>& needles) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      for (const std::string& name : e2e::found_in(contents(entry.path()), needles)) {
        found.push_back(name + " in " + entry.path().filename().string());
      }
    }
  }
  return found;
}

// What goes on around a secret that was used: others enrol, report and ask. Its own thread.
class Traffic {
 public:
  explicit Traffic(const e2e::EnrolmentSite& site) : thread_([this, &site] { run(site); }) {}
  ~Traffic() {
    stopping_ = true;
    thread_.join();
  }

 private:
  void run(const e2e::EnrolmentSite& site) {
    for (int i = 0; !stopping_; ++i) {
      const auto answer = site.register_node(site.fresh_request("guest-" + std::to_string(i)));
      const std::string node = answer.body.at("node_id");
      const sim::Api api(site.url(), sim::bearer_of(node, answer.body.at("nsk")));
      for (int beats = 0; beats < 20; ++beats) {
        api.raw("GET", "/v1/nodes/" + node + "/state");
        site.op().api().raw("GET", "/v1/nodes");
      }
    }
  }

  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a used token and a used key are in no log, no dump, and soon not in memory", "[e2e]") {
  e2e::EnrolmentSite site;
  std::vector<Needle> needles;
  {
    const json request = site.fresh_request("canary");
    const auto answer = site.register_node(request);
    REQUIRE(answer.status == 201);
    needles = needles_of(request.at("bootstrap_token"), answer.body);
    const sim::Api api(site.url(),
                       sim::bearer_of(answer.body.at("node_id"), answer.body.at("nsk")));
    const std::string node = "/v1/nodes/" + answer.body.at("node_id").get<std::string>();
    REQUIRE(api.raw("GET", node + "/state").status == 200);
    REQUIRE(api.raw("PUT", node + "/endpoint", "{}").status ==
            400);  // a refusal tells nothing more
  }
  auto& core = site.core();

  SECTION("the search finds what is there") {
    const std::string& bearer = site.deployment().operator_token();
    CHECK_FALSE(e2e::found_in("a " + bearer, {{"operator", bearer}}).empty());
    if (::geteuid() == 0) {
      CHECK_FALSE(e2e::found_in_memory(::getpid(), needles).empty());
    }
  }

  SECTION("logs and database") {
    CHECK(e2e::found_in(core.out() + core.err(), needles) == std::vector<std::string>());
    CHECK(e2e::found_in(site.deployment().postgres().log(), needles) == std::vector<std::string>());
    const auto dump = test_support::run(test_support::detail::postgres_programs() / "pg_dump",
                                        {"--dbname", site.deployment().admin_dsn()});
    REQUIRE(dump.code == 0);
    REQUIRE(dump.out.find("bootstrap_token") != std::string::npos);
    CHECK(e2e::found_in(dump.out, needles) == std::vector<std::string>());
    site.sql("CHECKPOINT");
    CHECK(found_below(site.deployment().postgres().data_directory(), needles) ==
          std::vector<std::string>());
  }

  SECTION("there are no core dumps to look into") {
    CHECK(contents("/proc/" + std::to_string(core.pid()) + "/limits")
              .find("Max core file size        0                    0") != std::string::npos);
  }

  SECTION("memory") {
    if (::geteuid() != 0) {
      // The core is closed to its own user too, so there is nothing to search.
      CHECK_THROWS(e2e::found_in_memory(core.pid(), needles));
      return;
    }
    const Traffic traffic(site);
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    auto found = e2e::found_in_memory(core.pid(), needles);
    while (!found.empty() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(1s);
      found = e2e::found_in_memory(core.pid(), needles);
    }
    CHECK(found == std::vector<std::string>());
  }
}
