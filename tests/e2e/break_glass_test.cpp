// An operator that plexsphere-bootstrap made is in the audit log before it can do anything: once,
// whoever dies when.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "e2e/tenant_site.hpp"
#include "support/failpoints.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using e2e::Deployment;
using nlohmann::json;

namespace {

struct Made {
  std::string user_id;
  std::string token_id;
  std::string token;
  std::string told;  // on stderr
};

std::string word_after(const std::string& text, const std::string& beginning) {
  const auto at = text.find(beginning);
  REQUIRE(at != std::string::npos);
  const auto from = at + beginning.size();
  return text.substr(from, text.find_first_of(" \n", from) - from);
}

Made make_operator(Deployment& deployment) {
  const auto made = test_support::run(Deployment::binaries() / "plexsphere-bootstrap",
                                      {"operator", "create", "--name", "night-shift", "--config",
                                       deployment.core_configuration().string()});
  REQUIRE(made.code == 0);
  return {word_after(made.err, "user_id="), word_after(made.err, "token_id="),
          "psk_" + word_after(made.out, "psk_"), made.err};
}

// The rows of the platform's chain about an operator's making.
int rows_of(Deployment& deployment, const Made& made) {
  return std::stoi(deployment.postgres().query(
      "SELECT count(*) FROM audit.audit_log_entry WHERE relation = 'operator.create' AND "
      "domain_id = '00000000-0000-7000-8000-000000000001' AND correlation_id = '" +
          made.token_id + "'",
      "plexsphere"));
}

int whoami(const std::string& url, const Made& made) {
  return sim::Api(url, made.token).raw("GET", "/v1/auth/whoami").status;
}

bool chain_holds(const std::string& url, const std::string& token) {
  return sim::Api(url, token).post("/v1/platform/audit/verify", json::object()).at("ok") == true;
}

}  // namespace

TEST_CASE("an operator from the bootstrap is told of, loudly, where nobody overlooks it", "[e2e]") {
  Deployment deployment;
  const Made unused = make_operator(deployment);
  CHECK(unused.told.starts_with("WARNING: break-glass operator"));
  CHECK(unused.told.find("correlation id " + unused.token_id) != std::string::npos);
  CHECK(unused.told.find(unused.token) == std::string::npos);
  CHECK(rows_of(deployment, unused) == 0);

  e2e::Core& core = deployment.start_core();
  // Nobody has to use it for that.
  CHECK(test_support::wait_until(20s, [&] { return rows_of(deployment, unused) == 1; }));
  CHECK(test_support::wait_until(
      10s, [&] { return core.process().err().find("break_glass_operator") != std::string::npos; }));
  CHECK(core.process().err().find(unused.user_id) != std::string::npos);

  const json shown = sim::Api(core.url(), deployment.operator_token())
                         .get("/v1/platform/audit/entries?correlation_id=" + unused.token_id);
  REQUIRE(shown.at("items").size() == 1);
  const json& row = shown.at("items")[0];
  CHECK(row.at("relation") == "operator.create");
  CHECK(row.at("object").at("type") == "user");
  CHECK(row.at("object").at("id") == unused.user_id);
  CHECK(row.at("reason") == "granted");
  CHECK(chain_holds(core.url(), deployment.operator_token()));
}

TEST_CASE("a first use writes the row before its answer, and everybody at once still writes one",
          "[e2e]") {
  Deployment deployment;
  const std::string urls[] = {deployment.start_core().url(), deployment.start_core().url()};
  for (int round = 0; round < 5; ++round) {
    const Made made = make_operator(deployment);
    std::atomic<int> good{0};
    std::vector<std::thread> users;
    for (int i = 0; i < 8; ++i) {
      users.emplace_back([&, i] { good += whoami(urls[i % 2], made) == 200 ? 1 : 0; });
    }
    for (std::thread& user : users) {
      user.join();
    }
    CHECK(good == 8);
    CHECK(rows_of(deployment, made) == 1);
  }
  CHECK(chain_holds(urls[0], deployment.operator_token()));
}

TEST_CASE("what the audit log cannot take opens nothing, and is not called a bad credential",
          "[e2e]") {
  Deployment deployment;
  const std::string url = deployment.start_core().url();
  const auto sql = [&](const std::string& text) {
    return deployment.postgres().query(text, "plexsphere");
  };
  sql("CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$; "
      "CREATE TRIGGER broken BEFORE INSERT ON audit.audit_log_entry FOR EACH ROW "
      "EXECUTE FUNCTION public.broken()");
  const Made made = make_operator(deployment);
  CHECK(whoami(url, made) == 503);
  CHECK(sql("SELECT audited_at IS NULL FROM identity.break_glass WHERE token_id = '" +
            made.token_id + "'") == "t");
  // Whoever does not have the secret is refused and starts nothing.
  Made forged = made;
  forged.token.back() = forged.token.back() == 'a' ? 'q' : 'a';
  CHECK(whoami(url, forged) == 401);

  sql("DROP TRIGGER broken ON audit.audit_log_entry");
  CHECK(test_support::wait_until(10s, [&] { return whoami(url, made) == 200; }));
  CHECK(rows_of(deployment, made) == 1);
}

TEST_CASE("a core that is killed around the commit leaves one row, and the token works", "[e2e]") {
  test_support::Failpoints failpoints;
  Deployment deployment;
  std::string url = deployment.start_core().url();
  for (const char* point : {"commit.before.identity", "commit.after.identity"}) {
    INFO(point);
    failpoints.arm_kill(point);
    const Made made = make_operator(deployment);
    try {
      (void)whoami(url, made);
    } catch (const std::exception&) {
      // The core is gone; or its job has been faster, and is gone by now.
    }
    REQUIRE(failpoints.hit(point, 20s));
    url = deployment.start_core().url();
    failpoints.release(point);
    CHECK(whoami(url, made) == 200);
    CHECK(rows_of(deployment, made) == 1);
  }
  CHECK(chain_holds(url, deployment.operator_token()));
}
