#include "soak/enrol/site.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sim/node.hpp"

namespace plexsphere::soak {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

// Argon2id at its minimum: here it is the transactions that matter. A worker for each failpoint.
constexpr const char* kCoreSettings =
    "[context.identity]\nargon2_memory_kib = 64\nargon2_passes = 1\nregistration_workers = 12\n";

e2e::Deployment::Options durable() {
  e2e::Deployment::Options options;
  options.durable = true;
  options.postgres_settings = {"recovery_init_sync_method=syncfs"};
  return options;
}

// One line for each rule that is broken: "<rule>: <how many>".
constexpr const char* kInvariants = R"sql(
WITH live AS (SELECT * FROM identity.node WHERE state <> 'deregistered'),
     live_key AS (SELECT * FROM identity.node_secret_key WHERE revoked_at IS NULL),
     told AS (SELECT aggregate_id, count(*) AS times FROM platform.outbox
               WHERE event_type = 'tenancy.NodeRegistered' GROUP BY 1),
     audited AS (SELECT relation, object_id, count(*) AS times FROM audit.audit_log_entry
                  GROUP BY 1, 2),
     finding (rule, broken) AS (VALUES
  ('a burned token without its Node',
   (SELECT count(*) FROM identity.bootstrap_token t
     WHERE t.consumed_at IS NOT NULL AND NOT EXISTS (
       SELECT FROM identity.node n WHERE n.id = t.consumed_by_node_id
                                     AND n.bootstrap_token_id = t.id))),
  ('a Node whose token is not burned',
   (SELECT count(*) FROM identity.node n JOIN identity.bootstrap_token t
        ON t.id = n.bootstrap_token_id WHERE t.consumed_by_node_id IS DISTINCT FROM n.id)),
  ('two Nodes with one address',
   (SELECT count(*) - count(DISTINCT (domain_id, mesh_ip)) FROM live)),
  ('an address held for nobody, or a Node without its own',
   (SELECT count(*) FROM live n FULL JOIN
        (SELECT * FROM mesh.address WHERE released_at IS NULL) a
        ON a.node_id = n.id AND a.domain_id = n.domain_id AND host(a.address) = host(n.mesh_ip)
     WHERE n.id IS NULL OR a.node_id IS NULL)),
  ('a Node without exactly one live key',
   (SELECT count(*) FROM live n LEFT JOIN
        (SELECT node_id, count(*) AS keys FROM live_key GROUP BY 1) k ON k.node_id = n.id
     WHERE k.keys IS DISTINCT FROM 1)),
  ('a Node that peers do not know, or know by an older key',
   (SELECT count(*) FROM live n JOIN live_key k ON k.node_id = n.id LEFT JOIN mesh.peer p
        ON p.node_id = n.id AND p.credential_generation = k.generation WHERE p.node_id IS NULL)),
  ('a key without its event in the outbox, or an event too many',
   (SELECT count(*) FROM identity.node n JOIN live_key k ON k.node_id = n.id
      LEFT JOIN told ON told.aggregate_id = n.id
     WHERE told.times IS DISTINCT FROM k.generation)),
  ('a Node without its one audit row',
   (SELECT count(*) FROM identity.node n LEFT JOIN audited a
        ON a.relation = 'node.register' AND a.object_id = n.id::text
     WHERE a.times IS DISTINCT FROM 1)),
  ('a burned token without its one audit row',
   (SELECT count(*) FROM identity.bootstrap_token t LEFT JOIN audited a
        ON a.relation = 'bootstrap_token.consume' AND a.object_id = t.id::text
     WHERE t.consumed_at IS NOT NULL AND a.times IS DISTINCT FROM 1)),
  ('a replay without its audit row',
   (SELECT count(*) FROM identity.node n JOIN live_key k ON k.node_id = n.id LEFT JOIN audited a
        ON a.relation = 'bootstrap_token.replay' AND a.object_id = n.bootstrap_token_id::text
     WHERE coalesce(a.times, 0) <> k.generation - 1)))
SELECT rule || ': ' || broken FROM finding WHERE broken <> 0
)sql";

// What a crash at the wrong moment would leave, one damage for each rule.
constexpr std::array kDamages{
    "DELETE FROM identity.node_secret_key; DELETE FROM identity.node",
    "UPDATE identity.bootstrap_token SET consumed_at = NULL, consumed_nonce_sha256 = NULL, "
    "consumed_by_node_id = NULL",
    "DROP INDEX identity.node_mesh_ip; UPDATE identity.node SET mesh_ip = '10.0.0.2'",
    "UPDATE mesh.address SET released_at = now()",
    "UPDATE identity.node_secret_key SET revoked_at = now()",
    "UPDATE mesh.peer SET credential_generation = credential_generation - 1",
    "DELETE FROM platform.outbox",
    "DELETE FROM audit.audit_log_entry WHERE relation = 'node.register'",
    "DELETE FROM audit.audit_log_entry WHERE relation = 'bootstrap_token.consume'",
    "DELETE FROM audit.audit_log_entry WHERE relation = 'bootstrap_token.replay'"};

}  // namespace

EnrolSite::EnrolSite() : deployment_(durable()) {
  start_core();
  for (int i = 0; i < kDomains; ++i) {
    domains_.push_back(
        op().create_domain("acme-" + std::to_string(i), "10." + std::to_string(i) + ".0.0/16"));
    projects_.push_back(op().create_project(domains_.back(), "edge"));
  }
}

std::string EnrolSite::url() const {
  const std::lock_guard lock(mutex_);
  return url_;
}

void EnrolSite::start_core() {
  core_ = &deployment_.start_core(kCoreSettings);
  const std::lock_guard lock(mutex_);
  url_ = core_->url();
}

std::vector<Wanted> EnrolSite::prepare(int count, Spread spread) {
  ++batches_;
  std::vector<Wanted> all;
  for (int i = 0; i < count; ++i) {
    const std::string handle = "host-" + std::to_string(++prepared_);
    const auto at = spread == Spread::kOneDomain ? batches_ % kDomains : i;
    const std::string& project = projects_.at(static_cast<std::size_t>(at));
    op().create_resource(project, handle);
    all.push_back({json{{"project_id", project},
                        {"resource_handle", handle},
                        {"bootstrap_token", op().issue_token(project)},
                        {"nonce", sim::make_nonce()},
                        {"public_key", sim::make_mesh_key().public_key}}
                       .dump()});
  }
  return all;
}

void EnrolSite::replace_core() {
  const auto code = core_->process().wait(30s);
  if (code != 128 + SIGKILL) {
    throw std::runtime_error("the core was not killed: " +
                             (code ? "it ended with " + std::to_string(*code) : "it runs"));
  }
  start_core();
}

void EnrolSite::crash_postgres() {
  deployment_.postgres().kill9();
  deployment_.postgres().start();
}

void EnrolSite::wait_until_ready() const {
  if (e2e::wait_for_status(url() + "/readyz", 200, 30s).status != 200) {
    throw std::runtime_error("the core does not become ready again");
  }
}

std::string EnrolSite::broken_invariants(int nodes) {
  auto& postgres = deployment_.postgres();
  std::string broken = postgres.query(kInvariants, "plexsphere");
  const std::string there = postgres.query("SELECT count(*) FROM identity.node", "plexsphere");
  if (there != std::to_string(nodes)) {
    broken += "\n" + there + " Nodes, not " + std::to_string(nodes);
  }
  return broken;
}

std::string EnrolSite::blind_invariants() {
  for (const char* damage : kDamages) {
    const auto noticed =
        deployment_.postgres().query("BEGIN; SET LOCAL session_replication_role = replica; " +
                                         std::string(damage) + ";" + kInvariants + "; ROLLBACK",
                                     "plexsphere");
    if (noticed.empty()) {
      return damage;
    }
  }
  return {};
}

bool EnrolSite::audit_chains_intact() const {
  return std::ranges::all_of(domains_, [this](const std::string& domain) {
    return op().verify_chain(domain).at("ok").get<bool>();
  });
}

}  // namespace plexsphere::soak
