// New wrap keys for Nodes' secret keys, while everything runs and while replicas die.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "e2e/enrolment_site.hpp"
#include "support/failpoints.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using e2e::EnrolmentSite;
using nlohmann::json;

namespace {

// Short enough for a test, and never shorter than a replica may wrap under an older key.
constexpr auto kSettings =
    "[context.identity]\nnsk_rewrap_batch = 2\nnsk_rewrap_interval = \"100ms\"\n"
    "nsk_rewrap_rest = \"10s\"\n";

std::string rewrap_path(const std::string& domain) {
  return "/v1/admin/domains/" + domain + "/nsk/rewrap";
}

// Enrols `count` Nodes in the Project.
std::vector<sim::Node> enrol(const std::string& url, const sim::Operator& op,
                             const std::string& project, const std::string& prefix, int count) {
  std::vector<sim::Node> nodes;
  for (int i = 0; i < count; ++i) {
    const std::string handle = prefix + std::to_string(i);
    op.create_resource(project, handle);
    nodes.push_back(
        sim::Node::enrol(url, {project, handle, op.issue_token(project), sim::make_nonce()}));
  }
  return nodes;
}

// What a Domain's keys look like: "<wrap key versions in use> active=… superseded=… retired=…".
std::string keys_of(EnrolmentSite& site, const std::string& domain) {
  const std::string in_scope =
      "FROM platform.wrap_key WHERE context = 'identity' AND scope LIKE '%" + domain + "%'";
  return site.sql(
      "SELECT coalesce((SELECT string_agg(DISTINCT k.wrap_key_version::text, ',') FROM "
      "identity.node n JOIN identity.node_secret_key k ON k.node_id = n.id WHERE n.domain_id = '" +
      domain + "'), 'none') || ' active=' || (SELECT string_agg(version::text, ',') " + in_scope +
      " AND superseded_at IS NULL) || ' retired=' || (SELECT coalesce(string_agg(version::text, "
      "',' ORDER BY version), 'none') " +
      in_scope + " AND retired_at IS NOT NULL)");
}

// Rows of the Domain's chain about re-wrapping: begun, rotated, finished, retired.
std::string rows_of(const sim::Operator& op, const std::string& domain) {
  std::string out;
  for (const char* relation :
       {"nsk.rewrap", "nsk.wrap_key_rotate", "nsk.rewrap_finish", "nsk.wrap_key_retire"}) {
    out += std::to_string(op.count_audit_rows(domain, relation)) + " ";
  }
  return out;
}

std::string state_of(const sim::Operator& op, const std::string& domain) {
  try {
    return op.api().get(rewrap_path(domain)).at("state");
  } catch (const std::exception& error) {
    return error.what();
  }
}

bool reaches(const sim::Operator& op, const std::string& domain, const std::string& state) {
  return test_support::wait_until(60s, [&] { return state_of(op, domain) == state; });
}

// Calls `act` on a thread of its own again and again until it is stopped, and remembers the first
// fault.
class Traffic {
 public:
  explicit Traffic(std::function<void()> act)
      : thread_([this, act = std::move(act)] {
          while (!stopping_ && fault_.empty()) {
            try {
              act();
              ++done_;
            } catch (const std::exception& error) {
              fault_ = error.what();
            }
          }
        }) {}
  ~Traffic() { (void)stop(); }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // The fault, or nothing.
  std::string stop() {
    stopping_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
    return fault_;
  }
  int done() const { return done_; }

 private:
  std::atomic<bool> stopping_{false};
  std::atomic<int> done_{0};
  std::string fault_;  // read after the join
  std::thread thread_;
};

}  // namespace

TEST_CASE("wrap keys are renewed while Nodes heartbeat and register, and no Node notices",
          "[e2e]") {
  EnrolmentSite site("10.7.0.0/16", kSettings);
  const std::string second = site.deployment().start_core(kSettings).url();
  const auto first_nodes = enrol(site.url(), site.op(), site.project(), "first-", 5);
  const auto leaver = enrol(site.url(), site.op(), site.project(), "leaver-", 1);
  (void)site.op().api().post("/v1/admin/nodes/" + leaver[0].id() + "/deregister", json::object());
  REQUIRE(keys_of(site, site.domain()) == "1 active=1 retired=none");

  std::atomic<int> joined{0};
  Traffic heartbeats([&] {
    for (const sim::Node& node : first_nodes) {
      (void)node.heartbeat();
    }
  });
  Traffic joiners([&] {
    const int number = ++joined;
    const auto nodes = enrol(number % 2 == 0 ? site.url() : second, site.op(), site.project(),
                             "joiner-" + std::to_string(number) + "-", 1);
    (void)nodes[0].heartbeat();
    std::this_thread::sleep_for(200ms);
  });
  REQUIRE(test_support::wait_until(30s, [&] { return joiners.done() >= 2; }));

  const auto begun = site.op().api().raw("POST", rewrap_path(site.domain()));
  REQUIRE(begun.status == 202);
  const json run = json::parse(begun.body);
  CHECK(run.at("state") == "requested");
  CHECK(run.at("from_version") == 1);
  // Who asks again while it is open finds the same run.
  const auto again = site.op().api().raw("POST", rewrap_path(site.domain()));
  CHECK(again.status == 202);
  CHECK(json::parse(again.body).at("id") == run.at("id"));

  REQUIRE(reaches(site.op(), site.domain(), "done"));
  CHECK(heartbeats.stop() == "");
  CHECK(joiners.stop() == "");
  CHECK(heartbeats.done() > 0);

  CHECK(keys_of(site, site.domain()) == "2 active=2 retired=1");
  CHECK(rows_of(site.op(), site.domain()) == "1 1 1 1 ");
  const json done = site.op().api().get(rewrap_path(site.domain()));
  CHECK(done.at("to_version") == 2);
  CHECK(done.at("rewrapped").get<int>() >= 6);  // that of the Node that left is among them
  CHECK(done.at("rewrapped") == done.at("total"));
  CHECK(site.op().verify_chain(site.domain()).at("ok") == true);
  for (const sim::Node& node : first_nodes) {
    CHECK_NOTHROW(node.heartbeat());
  }
}

TEST_CASE("a re-wrap goes on where the replica that did it was killed", "[e2e]") {
  test_support::Failpoints failpoints;
  EnrolmentSite site("10.7.0.0/16", kSettings);
  const std::string token = site.deployment().operator_token();
  std::string url = site.url();
  const auto op = [&] { return sim::Operator(url, token); };
  const auto another_core = [&] { url = site.deployment().start_core(kSettings).url(); };

  // Whichever run comes first to an armed point is killed there.
  std::vector<std::string> domains;
  std::vector<sim::Node> nodes;
  for (const auto& [slug, range] :
       {std::pair("rotated", "10.8.0.0/24"), {"batch", "10.8.1.0/24"}}) {
    domains.push_back(op().create_domain(slug, range));
    const auto project = op().create_project(domains.back(), "edge");
    for (sim::Node& node : enrol(url, op(), project, "vm-", 5)) {
      nodes.push_back(std::move(node));
    }
  }
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const std::string point = i == 0 ? "rewrap.rotated" : "rewrap.batch";
    INFO(point);
    failpoints.arm_kill(point);
    try {
      (void)op().api().raw("POST", rewrap_path(domains[i]));
    } catch (const std::exception&) {
      // The core is gone already.
    }
    REQUIRE(failpoints.hit(point, 30s));
    another_core();
    failpoints.release(point);
    CHECK(op().api().raw("POST", rewrap_path(domains[i])).status ==
          202);  // the same, if it is open
  }
  failpoints.arm_kill("rewrap.retired");
  REQUIRE(failpoints.hit("rewrap.retired", 60s));
  another_core();
  failpoints.release("rewrap.retired");

  for (const std::string& domain : domains) {
    REQUIRE(reaches(op(), domain, "done"));
    CHECK(keys_of(site, domain) == "2 active=2 retired=1");
    CHECK(rows_of(op(), domain) == "1 1 1 1 ");
    const json run = op().api().get(rewrap_path(domain));
    CHECK(run.at("rewrapped") == 5);
    CHECK(run.at("total") == 5);
    CHECK(op().verify_chain(domain).at("ok") == true);
  }
  for (const sim::Node& node : nodes) {
    CHECK(sim::Api(url, node.bearer()).raw("GET", "/v1/nodes/" + node.id() + "/state").status ==
          200);
  }

  // What was wrapped anew opens: it is opened to be wrapped once more, for all Domains at once.
  const auto all = op().api().raw("POST", "/v1/admin/nsk/rewrap");
  CHECK(all.status == 202);
  CHECK(json::parse(all.body).at("begun") == 2);
  for (const std::string& domain : domains) {
    REQUIRE(reaches(op(), domain, "resting"));
    CHECK(keys_of(site, domain) == "3 active=3 retired=1");
  }
  CHECK(site.count("audit.audit_log_entry WHERE relation = 'nsk.rewrap_all'") == 1);
}

TEST_CASE("a key that does not open stops its Domain's run and no other's", "[e2e]") {
  EnrolmentSite site("10.7.0.0/16", kSettings);
  const auto other = site.op().create_domain("other", "10.9.0.0/24");
  const auto nodes = enrol(site.url(), site.op(), site.project(), "vm-", 3);
  (void)enrol(site.url(), site.op(), site.op().create_project(other, "edge"), "vm-", 1);
  const std::string key_of_first = "WHERE node_id = '" + nodes[0].id() + "'";
  site.sql("CREATE TABLE public.kept AS SELECT * FROM identity.node_secret_key " + key_of_first);
  site.sql("UPDATE identity.node_secret_key SET wrapped_nsk = decode(md5('x'), 'hex') " +
           key_of_first);

  REQUIRE(site.op().api().raw("POST", "/v1/admin/nsk/rewrap").status == 202);
  REQUIRE(reaches(site.op(), other, "resting"));
  REQUIRE(reaches(site.op(), site.domain(), "running"));
  CHECK(keys_of(site, site.domain()) == "1 active=2 retired=none");

  site.sql(
      "UPDATE identity.node_secret_key SET wrapped_nsk = (SELECT wrapped_nsk FROM "
      "public.kept) " +
      key_of_first);
  REQUIRE(reaches(site.op(), site.domain(), "resting"));
  CHECK(keys_of(site, site.domain()) == "2 active=2 retired=none");
}
