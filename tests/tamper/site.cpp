#include "tamper/site.hpp"

#include <array>
#include <ostream>
#include <sstream>
#include <stdexcept>

#include <pqxx/result_iterator.hxx>

namespace plexsphere::tamper {
namespace {

// Everything of the schema that a chain consists of, or that stands beside it.
constexpr std::array kTables{
    "audit_log_entry",      "audit_log_chain_head", "audit_subject_pii", "audit_request_context",
    "audit_erased_subject", "audit_tree_node",      "audit_checkpoint",  "audit_archive_position",
    "audit_boundary",       "audit_epoch"};

// Constraints do not stop a superuser either. The keys' indexes stay, so that reading is as quick.
constexpr const char* kDisarm = R"(
DO $$ DECLARE c record; BEGIN
  FOR c IN SELECT conrelid::regclass AS of, conname AS name FROM pg_constraint
            WHERE connamespace = 'audit'::regnamespace AND contype = 'c'
              AND conrelid IN ('audit.audit_log_entry'::regclass, 'audit.audit_checkpoint'::regclass,
                               'audit.audit_log_chain_head'::regclass) LOOP
    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.of, c.name);
  END LOOP;
END $$;
ALTER TABLE audit.audit_log_entry DROP CONSTRAINT audit_log_entry_pkey;
CREATE INDEX audit_log_entry_place ON audit.audit_log_entry (domain_id, seq);
DO $$ DECLARE c name; BEGIN
  FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'audit.audit_log_entry'::regclass
             AND attnum > 0 AND attnotnull LOOP
    EXECUTE format('ALTER TABLE audit.audit_log_entry ALTER COLUMN %I DROP NOT NULL', c);
  END LOOP;
END $$)";

// What a forger needs: kept.say makes an entry say something else, in its bytes and its column, and
// kept.rehash makes every link and hash from an entry on fit what is there, and the head.
constexpr const char* kTools = R"(
CREATE FUNCTION kept.say(chain uuid, number bigint, said text) RETURNS void LANGUAGE sql AS $$
  UPDATE audit.audit_log_entry SET relation = said, canonical_bytes = convert_to(
    replace(convert_from(canonical_bytes, 'UTF8'), to_json(relation)::text, to_json(said)::text),
    'UTF8') WHERE domain_id = chain AND seq = number $$;
CREATE FUNCTION kept.rehash(chain uuid, first bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE e record; before bytea; last bigint;
BEGIN
  SELECT entry_hash INTO before FROM audit.audit_log_entry
   WHERE domain_id = chain AND seq = first - 1;
  before := coalesce(before, decode(repeat('00', 32), 'hex'));
  FOR e IN SELECT ctid, seq, canonical_bytes FROM audit.audit_log_entry
            WHERE domain_id = chain AND seq >= first ORDER BY seq LOOP
    UPDATE audit.audit_log_entry SET prev_hash = before,
           entry_hash = sha256(before || sha256(e.canonical_bytes)) WHERE ctid = e.ctid;
    before := sha256(before || sha256(e.canonical_bytes));
    last := e.seq;
  END LOOP;
  UPDATE audit.audit_log_chain_head SET seq = last, entry_hash = before WHERE domain_id = chain;
END $$)";

host::persistence::SessionOptions as_superuser(const std::string& dsn) {
  host::persistence::SessionOptions options;
  options.dsn = dsn;
  options.statement_timeout = std::chrono::seconds(60);
  return options;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Verdicts& verdicts) {
  return out << "verify: \"" << verdicts.verify << "\", probe: \"" << verdicts.probe
             << "\", fresh: \"" << verdicts.fresh << "\", running: \"" << verdicts.running << "\"";
}

Site& site() {
  static Site the_site;
  return the_site;
}

Site::Site()
    : examiner_(origin_.database()),
      attacker_(as_superuser(origin_.database().dsn("postgres"))),
      running_(examiner_.new_watch()) {
  arm();
  std::istringstream sizes(
      attack("SELECT string_agg(size::text, ' ' ORDER BY size) FROM audit.audit_checkpoint WHERE "
             "domain_id = '" +
             chain().text() + "'"));
  for (std::int64_t size = 0; sizes >> size;) {
    checkpoints_.push_back(size);
  }
  if (checkpoints_.size() < 3 || checkpoints_.back() >= Origin::kEntries) {
    throw std::runtime_error("the chain needs three checkpoints and a tail without one");
  }
}

void Site::arm() {
  attack(
      "SET session_replication_role = replica; SET synchronous_commit = off; CREATE SCHEMA kept");
  for (const char* table : kTables) {
    attack(std::string("CREATE TABLE kept.") + table + " AS TABLE audit." + table);
  }
  attack("CREATE INDEX ON kept.audit_log_entry (domain_id, seq)");
  attack(kDisarm);
  attack(kTools);
}

std::string Site::attack(const std::string& sql) {
  const pqxx::result rows = attacker_.run(sql);
  return rows.empty() || rows[0].empty() || rows[0][0].is_null() ? std::string()
                                                                 : rows[0][0].c_str();
}

void Site::undo() {
  std::string sql = "TRUNCATE audit.audit_tamper_quarantine";
  for (const char* table : kTables) {
    sql += std::string(", audit.") + table;
  }
  for (const char* table : kTables) {
    sql += std::string("; INSERT INTO audit.") + table + " SELECT * FROM kept." + table;
  }
  attack(sql);
}

void Site::put_back(std::int64_t seq, const std::string& at) {
  constexpr const char* kAll =
      "domain_id, seq, prev_hash, entry_hash, canonical_bytes, occurred_at, reason, relation, "
      "object_type, object_id, subject_pseudonym, correlation_id";
  attack(std::string("UPDATE audit.audit_log_entry SET (") + kAll + ") = (SELECT " + kAll +
         " FROM kept.audit_log_entry WHERE domain_id = '" + chain().text() +
         "' AND seq = " + std::to_string(seq) + ")" + at);
}

std::string Site::found() {
  const std::string all = attack(
      "SELECT string_agg(seq || ' ' || finding, ', ' ORDER BY seq, finding) FROM "
      "audit.audit_tamper_quarantine WHERE domain_id = '" +
      chain().text() + "'");
  attack("DELETE FROM audit.audit_tamper_quarantine");
  return all;
}

std::string Site::verify(const audit::Segment& segment) {
  const auto verdict = examiner_.verifier().verify(chain(), segment, [] { return true; });
  if (!verdict.ok()) {
    return verdict.error().reason;
  }
  const std::string kept = found();
  const std::string told = verdict->divergence
                               ? std::to_string(verdict->divergence->seq) + " " +
                                     std::string(finding_name(verdict->divergence->finding))
                               : std::string();
  return kept == told ? told : "the verdict is '" + told + "', the quarantine '" + kept + "'";
}

Verdicts Site::look() {
  Verdicts out;
  out.verify = verify();
  const auto faults = examiner_.verifier().check_heads();
  out.probe = faults.ok() ? found() : faults.error().reason;
  examiner_.new_watch()->round();
  out.fresh = found();
  out.running = look_again();
  return out;
}

// What it read before comes round again 512 entries at a time.
std::string Site::look_again() {
  std::string out;
  for (int round = 0; round < 3 && out.empty(); ++round) {
    running_->round();
    out = found();
  }
  return out;
}

void Site::read_anew() {
  running_ = examiner_.new_watch();
  running_->round();
  running_->round();
}

bool Site::holds() {
  return verify().empty() && look_again().empty() && running_->broken().chains == 0;
}

}  // namespace plexsphere::tamper
