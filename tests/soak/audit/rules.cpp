// What must be true of the database at any moment, as SQL that reads it whole.
#include <array>
#include <stdexcept>

#include "soak/audit/chains.hpp"

namespace plexsphere::soak {

namespace {

// One line for each rule that is broken: "<rule>: <how many>". In place of %DROPPED% stand the
// windows that were dropped on purpose: while they were, the watch rightly found them missing, the
// last entry that it knew among them, and a checkpoint to be of more entries than there were.
constexpr const char* kRules = R"sql(
WITH entry AS MATERIALIZED (
       SELECT domain_id, seq, prev_hash, entry_hash, relation, object_id,
              entry_hash = sha256(prev_hash || sha256(canonical_bytes)) AS sound,
              lag(seq) OVER chain AS before, lag(entry_hash) OVER chain AS hash_before
         FROM audit.audit_log_entry WINDOW chain AS (PARTITION BY domain_id ORDER BY seq)),
     last AS (SELECT DISTINCT ON (domain_id) domain_id, seq, entry_hash FROM entry
               ORDER BY domain_id, seq DESC),
     changed (domain_id, relation, object_id) AS (
       SELECT id, 'domain.create', id::text FROM tenancy.domains
       UNION ALL SELECT domain_id, 'project.create', id::text FROM tenancy.projects
       UNION ALL SELECT domain_id, 'bootstrap_token.issue', id::text
                   FROM identity.bootstrap_token),
     audited AS (SELECT domain_id, relation, object_id, count(*) AS times FROM entry
                  WHERE relation IN ('domain.create', 'project.create', 'bootstrap_token.issue')
                  GROUP BY 1, 2, 3),
     finding (rule, broken) AS (VALUES
  ('a change without its one row',
   (SELECT count(*) FROM changed c LEFT JOIN audited a USING (domain_id, relation, object_id)
     WHERE a.times IS DISTINCT FROM 1)),
  ('a row without its change',
   (SELECT count(*) FROM audited a LEFT JOIN changed c USING (domain_id, relation, object_id)
     WHERE c.object_id IS NULL)),
  ('a gap', (SELECT count(*) FROM entry WHERE seq <> coalesce(before, 0) + 1)),
  ('an entry that does not name the one before',
   (SELECT count(*) FROM entry
     WHERE prev_hash <> coalesce(hash_before, decode(repeat('00', 32), 'hex')))),
  ('an entry that is not what its hash says', (SELECT count(*) FROM entry WHERE NOT sound)),
  ('a head that is not its last entry',
   (SELECT count(*) FROM last l FULL JOIN audit.audit_log_chain_head h USING (domain_id)
     WHERE (l.seq, l.entry_hash) IS DISTINCT FROM (h.seq, h.entry_hash))),
  ('a checkpoint beyond its chain',
   (SELECT count(*) FROM audit.audit_checkpoint c LEFT JOIN audit.audit_log_chain_head h
        USING (domain_id) WHERE c.size > coalesce(h.seq, 0))),
  ('a checkpoint without its entry, or an entry without its checkpoint',
   (SELECT count(*) FROM audit.audit_checkpoint c FULL JOIN
        (SELECT domain_id, object_id::bigint AS size FROM entry
          WHERE relation = 'audit.checkpoint') e USING (domain_id, size)
     WHERE c.root_hash IS NULL OR e.size IS NULL)),
  ('a restore that ended without its entry, or an entry without its end',
   (SELECT count(*) FROM (SELECT * FROM audit.audit_restore_request
                           WHERE ended_at IS NOT NULL) r
      FULL JOIN (SELECT * FROM entry WHERE relation = 'audit.restore') e
        ON e.domain_id = r.domain_id AND e.object_id = r.id::text
     WHERE r.id IS NULL OR e.object_id IS NULL)),
  ('a finding that nobody caused',
   (SELECT count(*) FROM audit.audit_tamper_quarantine q WHERE NOT EXISTS (
       SELECT FROM (VALUES %DROPPED%) d(domain_id, first, last)
        WHERE d.domain_id = q.domain_id AND q.observed_hash IS NULL AND CASE
                WHEN q.finding IN ('missing_entry', 'rewritten')
                THEN q.seq BETWEEN d.first AND d.last
                ELSE q.finding = 'checkpoint_mismatch' AND q.seq >= d.first END))))
SELECT rule || ': ' || broken FROM finding WHERE broken <> 0
)sql";

// What a crash at the wrong moment would leave, one damage for each rule.
constexpr std::array kDamages{
    "INSERT INTO tenancy.projects SELECT * FROM (SELECT (jsonb_populate_record(p, "
    "jsonb_build_object('id', gen_random_uuid(), 'slug', 'unheard-of'))).* FROM tenancy.projects p "
    "LIMIT 1) x",
    "DELETE FROM identity.bootstrap_token",
    "DELETE FROM audit.audit_log_entry WHERE seq = 5",
    "UPDATE audit.audit_log_entry SET prev_hash = sha256('x') WHERE seq = 5",
    "UPDATE audit.audit_log_entry SET canonical_bytes = canonical_bytes || ' ' WHERE seq = 5",
    "UPDATE audit.audit_log_chain_head SET seq = seq + 1",
    "UPDATE audit.audit_checkpoint SET size = size + 1000000",
    "DELETE FROM audit.audit_checkpoint",
    "DELETE FROM audit.audit_restore_request",
    "INSERT INTO audit.audit_tamper_quarantine (domain_id, seq, finding) SELECT domain_id, 1, "
    "'hash_mismatch' FROM audit.audit_log_chain_head LIMIT 1"};

std::string rules_of(const AuditSite& site) {
  std::string dropped = "('00000000-0000-0000-0000-000000000000'::uuid, 0, 0)";
  for (const Window& window : site.dropped()) {
    dropped += ", ('" + window.chain + "', " + std::to_string(window.from) + ", " +
               std::to_string(window.to) + ")";
  }
  const std::string mark = "%DROPPED%";
  std::string rules = kRules;
  return rules.replace(rules.find(mark), mark.size(), dropped);
}

}  // namespace

std::string broken_rules(const AuditSite& site) {
  return site.sql(rules_of(site));
}

std::string blind_rules(const AuditSite& site) {
  for (const char* damage : kDamages) {
    const auto noticed = site.sql("BEGIN; SET LOCAL session_replication_role = replica; " +
                                  std::string(damage) + ";" + rules_of(site) + "; ROLLBACK");
    if (noticed.empty()) {
      return damage;
    }
  }
  return {};
}

}  // namespace plexsphere::soak
