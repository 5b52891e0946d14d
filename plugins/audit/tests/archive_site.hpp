// An audit plugin with a mirror: a private database, a strict store, and a process that archives.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <regex>
#include <string>
#include <utility>

#include "live_audit.hpp"
#include "support/s3_server.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::audit::test {

struct ArchiveSite {
  explicit ArchiveSite(std::string more = {}) : more_settings(std::move(more)) {}

  std::string settings() const {
    const std::string key = files.path() / "s3.key";
    std::ofstream(key) << secret << "\n";
    ::chmod(key.c_str(), 0600);
    return "egress = [\"" + store.url() + "\"]\negress_access_key_id = \"AKIDEXAMPLE\"\n" +
           "egress_secret_key_file = \"" + key + "\"\narchive_endpoint = \"" + store.url() +
           "\"\narchive_bucket = \"bucket\"\narchive_region = \"eu-central-1\"\n" +
           "archive_interval = \"100ms\"\nverify_interval = \"" + verify_interval + "\"\n" +
           more_settings;
  }
  // A process that archives from now on.
  LiveAudit& open() {
    live = std::make_unique<LiveAudit>(database, 8, settings());
    live->begin_jobs();
    return *live;
  }
  void close() { live.reset(); }

  // Entries of a chain, written without a process. Their pseudonyms are of no process's pepper, so
  // nobody is said to be behind them.
  void add(const sdk::Uuid& to, int entries) {
    std::vector<Row> rows;
    for (int i = 0; i < entries; ++i) {
      rows.push_back(row_of(to, "a" + std::to_string(i)));
      if (rows.size() == 50 || i + 1 == entries) {  // an argument of psql has its bounds
        database.query(append_call(std::exchange(rows, {})) +
                       "; SET session_replication_role = replica; DELETE FROM "
                       "audit.audit_subject_pii WHERE domain_id = '" +
                       to.text() + "'");
      }
    }
  }
  std::string stamped() const {
    return database.query(
        "SELECT count(*) FROM audit.audit_log_entry WHERE archived_at IS NOT NULL");
  }
  bool becomes_stamped(int entries) const {
    return test_support::wait_until(kPatience,
                                    [&] { return stamped() == std::to_string(entries); });
  }
  // Those that the store was sent and that begin so: "GET ", "PUT /bucket/…".
  std::size_t requests(const std::string& prefix) const {
    const auto log = store.log();
    return static_cast<std::size_t>(std::count_if(
        log.begin(), log.end(), [&](const auto& line) { return line.starts_with(prefix); }));
  }
  std::string quarantined() const {
    return database.query(
        "SELECT string_agg(seq || ' ' || finding, ', ' ORDER BY seq, finding) FROM "
        "audit.audit_tamper_quarantine");
  }
  // State and detail of a probe of the plugin; nothing if there is none of that name.
  std::optional<std::pair<host::health::State, std::string>> probe(const std::string& name) {
    for (const auto& check : live->health().checks) {
      if (check.name == "audit." + name) {
        return std::pair(check.outcome.state, check.outcome.detail);
      }
    }
    return std::nullopt;
  }
  bool probe_says(const std::string& name, host::health::State state, const std::string& part) {
    return test_support::wait_until(kPatience, [&] {
      const auto now = probe(name);
      return now && now->first == state && now->second.find(part) != std::string::npos;
    });
  }
  double metric(const std::string& name) const {
    std::smatch found;
    const std::string all = live->metrics();
    REQUIRE(std::regex_search(all, found, std::regex("\n" + name + " ([0-9.e+]+)")));
    return std::stod(found[1]);
  }

  test_support::TempDir files;
  std::string secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  std::string more_settings;
  std::string verify_interval = "1h";
  ChainDatabase database;
  test_support::S3Server store;
  sdk::Uuid chain = sdk::Uuid::v7(1);
  std::unique_ptr<LiveAudit> live;  // last: it uses the rest
};

}  // namespace plexsphere::audit::test
