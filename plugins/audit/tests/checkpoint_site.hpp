// A process with the audit plugin, a signer and one Domain's chain, for tests about checkpoints.
#pragma once

#include <catch2/catch.hpp>
#include <regex>
#include <sstream>

#include "app/digest.hpp"
#include "live_audit.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "support/wait_until.hpp"
#include "test_signer.hpp"

namespace plexsphere::audit::test {

// The one server of the program, emptied.
inline ChainDatabase& fresh_database() {
  static ChainDatabase database;
  database.tamper(
      "TRUNCATE audit.audit_log_entry, audit.audit_log_chain_head, audit.audit_subject_pii, "
      "audit.audit_request_context, audit.audit_tamper_quarantine, audit.audit_tree_node, "
      "audit.audit_checkpoint, audit.audit_epoch, audit.audit_epoch_request, audit.audit_boundary");
  return database;
}

struct CheckpointSite {
  explicit CheckpointSite(const std::string& settings = "checkpoint_interval = \"100ms\"\n")
      : live(database, 16, settings, signer.table()) {
    live.add_domain(domain);
  }

  // So many changes, in one transaction.
  void add(int entries, const std::string& relation = "project.create") const {
    std::vector<sdk::AuditEntry> changes;
    for (int i = 0; i < entries; ++i) {
      changes.push_back(change_in(domain, relation));
    }
    REQUIRE(live.stage(changes).ok());
  }
  std::string query(const std::string& select) const {
    return database.query(select + " WHERE domain_id = '" + domain.text() + "'");
  }
  int number(const std::string& select) const { return std::stoi(query(select)); }
  int head() const { return number("SELECT seq FROM audit.audit_log_chain_head"); }
  int newest() const { return number("SELECT coalesce(max(size), 0) FROM audit.audit_checkpoint"); }
  int checkpoints() const { return number("SELECT count(*) FROM audit.audit_checkpoint"); }
  // Adds a change, and waits until a checkpoint covers it.
  void add_and_wait(int entries = 1) const {
    add(entries);
    // Not the head: a checkpoint may have left its own entry there already.
    wait_for(
        std::stoi(query("SELECT max(seq) FILTER (WHERE relation <> 'audit.checkpoint') FROM "
                        "audit.audit_log_entry")));
  }
  void wait_for(int size) const {
    REQUIRE(test_support::wait_until(kPatience, [&] { return newest() >= size; }));
  }
  // Another relation in one entry, and every hash from there on made to fit.
  std::string forged(int seq) const {
    return "DO $$ DECLARE r record; before bytea; BEGIN "
           "UPDATE audit.audit_log_entry SET relation = 'forged', canonical_bytes = "
           "convert_to(replace(convert_from(canonical_bytes, 'UTF8'), '\"project.create\"', "
           "'\"forged\"'), 'UTF8') WHERE domain_id = '" +
           domain.text() + "' AND seq = " + std::to_string(seq) +
           "; FOR r IN SELECT * FROM audit.audit_log_entry WHERE domain_id = '" + domain.text() +
           "' AND seq >= " + std::to_string(seq) +
           " ORDER BY seq LOOP before := coalesce(before, r.prev_hash); "
           "UPDATE audit.audit_log_entry e SET prev_hash = before, entry_hash = sha256(before || "
           "sha256(e.canonical_bytes)) WHERE e.domain_id = r.domain_id AND e.seq = r.seq RETURNING "
           "e.entry_hash INTO before; END LOOP; UPDATE audit.audit_log_chain_head SET entry_hash = "
           "before WHERE domain_id = '" +
           domain.text() + "'; END $$";
  }
  // Makes the chain end at an earlier entry, as a restored backup does.
  void set_back(int seq) const {
    const std::string beyond =
        " WHERE domain_id = '" + domain.text() + "' AND seq > " + std::to_string(seq);
    database.tamper("DELETE FROM audit.audit_request_context" + beyond +
                    "; DELETE FROM audit.audit_log_entry" + beyond +
                    "; UPDATE audit.audit_log_chain_head h SET seq = e.seq, entry_hash = "
                    "e.entry_hash FROM audit.audit_log_entry e WHERE e.domain_id = h.domain_id "
                    "AND e.seq = " +
                    std::to_string(seq));
  }
  // What a backup of the database holds of the chains, and the database restored from it.
  void back_up() const {
    std::string sql = "DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup";
    for (const char* table : kTables) {
      sql += std::string("; CREATE TABLE backup.") + table + " AS TABLE audit." + table;
    }
    database.query(sql);
  }
  void restore_backup() const {
    std::string truncate;
    std::string insert;
    for (const char* table : kTables) {
      truncate += (truncate.empty() ? "TRUNCATE audit." : ", audit.") + std::string(table);
      insert += std::string("; INSERT INTO audit.") + table + " TABLE backup." + table;
    }
    database.tamper(truncate + insert);
  }
  std::string quarantined() const {
    return query("SELECT string_agg(DISTINCT finding, ',') FROM audit.audit_tamper_quarantine");
  }
  static constexpr const char* kTables[] = {
      "audit_log_entry", "audit_log_chain_head", "audit_subject_pii", "audit_request_context",
      "audit_tree_node", "audit_checkpoint",     "audit_epoch"};

  double metric(const std::string& name) const {
    std::smatch found;
    const std::string all = live.metrics();
    const std::string line = "\n" + name + " ([0-9.e+]+)";
    return std::regex_search(all, found, std::regex(line)) ? std::stod(found[1]) : -1;
  }
  // Of the failures that are counted under this reason, one more than now.
  bool fails_again(const std::string& reason) const {
    const std::string name =
        "plexsphere_audit_checkpoint_failures_total\\{[^}]*reason=\"" + reason + "\"[^}]*\\}";
    const double before = metric(name);
    return test_support::wait_until(kPatience, [&] { return metric(name) > before; });
  }

  ChainDatabase& database = fresh_database();
  sdk::Uuid domain = sdk::Uuid::v7(1);
  TestSigner signer;
  LiveAudit live;
};

// The root over a chain's first `size` entries, from the database and by RFC 6962's recursion.
inline std::string root_of_entries(const ChainDatabase& database, const sdk::Uuid& chain,
                                   int size) {
  std::istringstream rows(database.query(
      "SELECT encode(entry_hash, 'hex') FROM audit.audit_log_entry WHERE domain_id = '" +
      chain.text() + "' AND seq <= " + std::to_string(size) + " ORDER BY seq"));
  std::vector<std::string> leaves;
  for (std::string hex; rows >> hex;) {
    leaves.push_back(sha256(std::string(1, '\0') + *sdk::hex_decode(hex)));
  }
  const std::function<std::string(std::size_t, std::size_t)> over = [&](std::size_t begin,
                                                                        std::size_t end) {
    if (end - begin == 1) {
      return leaves[begin];
    }
    std::size_t split = 1;
    while (split * 2 < end - begin) {
      split *= 2;
    }
    return sha256("\1" + over(begin, begin + split) + over(begin + split, end));
  };
  return over(0, leaves.size());
}

}  // namespace plexsphere::audit::test
