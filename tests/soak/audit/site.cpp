#include "soak/audit/site.hpp"

#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <stdexcept>

#include "support/wait_until.hpp"

namespace plexsphere::soak {

using namespace std::chrono_literals;

namespace {

constexpr int kDomains = 3;
constexpr std::int64_t kWindow = 150;  // entries: three batches of the restorer
constexpr std::int64_t kKept = 10;     // stamped entries after the window

e2e::Deployment::Options durable() {
  e2e::Deployment::Options options;
  options.durable = true;
  options.postgres_settings = {"recovery_init_sync_method=syncfs"};
  return options;
}

// Everything as often as it goes, and no cap: each refusal is to be a row. Argon2id at its minimum,
// since here it is the transactions that matter.
std::string settings_of(const test_support::S3Server& store, const std::string& key_file) {
  const auto& account = store.options();
  return "[context.identity]\nargon2_memory_kib = 64\nargon2_passes = 1\n[context.audit]\n"
         "denials_per_minute = 1000000\nverify_interval = \"500ms\"\n"
         "checkpoint_interval = \"100ms\"\narchive_interval = \"100ms\"\n"
         "archive_scan_interval = \"1s\"\narchive_endpoint = \"" +
         store.url() + "\"\narchive_bucket = \"" + account.bucket + "\"\narchive_region = \"" +
         account.region + "\"\negress = [\"" + store.url() + "\"]\negress_access_key_id = \"" +
         account.access_key + "\"\negress_secret_key_file = \"" + key_file + "\"\n";
}

}  // namespace

AuditSite::AuditSite() : deployment_(durable()) {
  const std::string key_file = deployment_.directory() / "s3.key";
  std::ofstream(key_file) << store_.options().secret_key << "\n";
  ::chmod(key_file.c_str(), 0600);
  settings_ = settings_of(store_, key_file);
  stranger_ = deployment_.make_operator("stranger");
  sql("DELETE FROM authz.relation_tuples WHERE subject_id = (SELECT id::text FROM "
      "identity.user_account WHERE display_name = 'stranger')");
  for (std::size_t i = 0; i < kReplicas; ++i) {
    start(i);
  }
  wait_until_ready();
  const sim::Operator op(url(0), operator_token());
  for (int i = 0; i < kDomains; ++i) {
    const std::string number = std::to_string(i);
    domains_.push_back(op.create_domain("acme-" + number, "172.16." + number + ".0/24"));
    projects_.push_back(op.create_project(domains_.back(), "edge"));
  }
}

std::string AuditSite::url(std::size_t replica) const {
  const std::lock_guard lock(mutex_);
  return urls_.at(replica);
}

void AuditSite::start(std::size_t replica) {
  cores_.at(replica) = &deployment_.launch_core(settings_);
  const std::lock_guard lock(mutex_);
  urls_.at(replica) = cores_.at(replica)->url();
}

void AuditSite::replace_killed_core() {
  std::size_t killed = kReplicas;
  const bool ended = test_support::wait_until(30s, [&] {
    for (std::size_t i = 0; i < kReplicas; ++i) {
      killed = cores_[i]->process().running() ? killed : i;
    }
    return killed < kReplicas;
  });
  if (!ended) {
    throw std::runtime_error("no core was killed");
  }
  auto& process = cores_.at(killed)->process();
  if (const auto code = process.wait(0s); code != 128 + SIGKILL) {
    throw std::runtime_error("a core was not killed, it ended with " +
                             std::to_string(code.value_or(-1)) + ":\n" + process.err());
  }
  start(killed);
}

void AuditSite::kill_core(std::size_t replica) {
  cores_.at(replica)->process().kill();
}

void AuditSite::crash_postgres() {
  deployment_.postgres().kill9();
  deployment_.postgres().start();
}

void AuditSite::wait_until_ready() const {
  for (std::size_t i = 0; i < kReplicas; ++i) {
    const auto last = e2e::wait_for_status(url(i) + "/readyz", 200, 60s);
    if (last.status != 200) {
      throw std::runtime_error("a core does not become ready again: " + last.body);
    }
  }
}

Window AuditSite::drop_window() {
  Window window;
  const bool long_enough = test_support::wait_until(60s, [&] {
    const std::string longest = sql(
        "SELECT domain_id || ' ' || seq FROM audit.audit_archive_position ORDER BY seq DESC LIMIT "
        "1");
    const auto space = longest.find(' ');
    if (space == std::string::npos) {
      return false;
    }
    window.chain = longest.substr(0, space);
    window.to = std::stoll(longest.substr(space + 1)) - kKept;
    window.from = window.to - kWindow + 1;
    return window.from > 1;
  });
  if (!long_enough) {
    throw std::runtime_error("no chain has enough archived entries to drop some of them");
  }
  const std::string deleted =
      sql("BEGIN; SET LOCAL session_replication_role = replica; WITH gone AS (DELETE FROM "
          "audit.audit_log_entry WHERE domain_id = '" +
          window.chain + "' AND seq BETWEEN " + std::to_string(window.from) + " AND " +
          std::to_string(window.to) + " RETURNING seq) SELECT count(*) FROM gone; COMMIT");
  if (deleted != std::to_string(kWindow)) {
    throw std::runtime_error(deleted + " entries were dropped");
  }
  dropped_.push_back(window);
  return window;
}

std::unique_ptr<test_support::Process> AuditSite::begin_restore(const Window& window) const {
  return std::make_unique<test_support::Process>(
      e2e::Deployment::binaries() / "plexsphere-bootstrap",
      std::vector<std::string>{"audit", "restore", "--domain", window.chain, "--from",
                               std::to_string(window.from), "--to", std::to_string(window.to),
                               "--wait", "60", "--config",
                               deployment_.core_configuration().string()});
}

std::string AuditSite::sql(const std::string& text) const {
  return deployment_.postgres().query(text, "plexsphere");
}

}  // namespace plexsphere::soak
