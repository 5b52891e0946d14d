// The SQL of the context. Names are qualified; parameters are cast where the server could guess
// another type.
#pragma once

#include <string>
#include <string_view>

namespace plexsphere::audit::sql {

inline constexpr std::string_view kAppend =
    "SELECT appended FROM audit.port_append($1, $2, $3, $4, $5, $6, $7, $8, $9)";

inline constexpr std::string_view kErase =
    "SELECT subjects, contexts FROM audit.erase_subject($1::uuid, $2::bytea)";

inline constexpr std::string_view kFindPepper =
    "SELECT wrap_key_id, sealed FROM audit.audit_pepper WHERE domain_id = $1";

inline constexpr std::string_view kKeepPepper =
    "INSERT INTO audit.audit_pepper (domain_id, wrap_key_id, sealed) VALUES ($1, $2, $3) "
    "ON CONFLICT (domain_id) DO NOTHING";

inline constexpr std::string_view kHead =
    "SELECT seq, entry_hash FROM audit.audit_log_chain_head WHERE domain_id = $1";

inline constexpr std::string_view kHeads =
    "SELECT domain_id, seq FROM audit.audit_log_chain_head WHERE domain_id > $1 "
    "ORDER BY domain_id LIMIT $2";

inline constexpr std::string_view kEntryHash =
    "SELECT entry_hash FROM audit.audit_log_entry WHERE domain_id = $1 AND seq = $2";

// An entry and its siblings: StoredEntry in order.
inline constexpr std::string_view kEntryColumns =
    "SELECT e.seq, e.canonical_bytes, e.prev_hash, e.entry_hash, e.archive_etag, e.archived_at, "
    "p.subject_type, p.subject_plaintext, c.source_ip, c.user_agent, o.subject_plaintext "
    "FROM audit.audit_log_entry e "
    "LEFT JOIN audit.audit_subject_pii p "
    "ON p.domain_id = e.domain_id AND p.subject_pseudonym = e.subject_pseudonym "
    "LEFT JOIN audit.audit_request_context c ON c.domain_id = e.domain_id AND c.seq = e.seq "
    "LEFT JOIN audit.audit_subject_pii o ON o.domain_id = e.domain_id AND o.subject_pseudonym = "
    "CASE WHEN e.object_type IN ('user', 'service-identity') AND e.object_id ~ '^[0-9a-f]{64}$' "
    "THEN decode(e.object_id, 'hex') END ";

inline std::string find() {
  return std::string(kEntryColumns) + "WHERE e.domain_id = $1 AND e.seq = $2";
}

// `narrowed` is the filter that an index serves; the others are tested on what it yields. A
// statement for each keeps the server from planning one that suits none.
inline std::string list(std::string_view narrowed) {
  const auto filter = [&](std::string_view column, std::string_view parameter,
                          std::string_view type, std::string_view comparison) {
    const std::string test = "e." + std::string(column) + " " + std::string(comparison) + " (" +
                             std::string(parameter) + "::" + std::string(type) + ")";
    if (column == narrowed) {
      return "AND " + test + " ";
    }
    return "AND (" + std::string(parameter) + "::" + std::string(type) + " IS NULL OR " + test +
           ") ";
  };
  return std::string(kEntryColumns) + "WHERE e.domain_id = $1 AND e.seq > $2::bigint " +
         filter("subject_pseudonym", "$4", "bytea", "=") + filter("relation", "$5", "text", "=") +
         filter("object_type", "$6", "text", "=") + filter("object_id", "$7", "text[]", "= ANY") +
         filter("reason", "$8", "text", "=") + filter("occurred_at", "$9", "timestamptz", ">=") +
         filter("occurred_at", "$10", "timestamptz", "<=") +
         filter("correlation_id", "$11", "text", "=") + "ORDER BY e.seq LIMIT $3::bigint";
}

inline constexpr std::string_view kRecords =
    "SELECT seq, canonical_bytes, prev_hash, entry_hash FROM audit.audit_log_entry "
    "WHERE domain_id = $1 AND seq >= $2 ORDER BY seq LIMIT $3";

// By COPY, so in steps of so many numbers. (A limit with
// ties would have the server copy each row once more.)
inline constexpr std::string_view kWalk =
    "SELECT seq, prev_hash, entry_hash, canonical_bytes, occurred_at, reason, relation, "
    "object_type, object_id, subject_pseudonym, correlation_id FROM audit.audit_log_entry "
    "WHERE domain_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq";

inline constexpr std::string_view kWalkLinks =
    "SELECT seq, prev_hash, entry_hash, canonical_bytes FROM audit.audit_log_entry "
    "WHERE domain_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq";

// What is kept of where requests came from. Not joined to the entries: that costs the server as
// much as reading them does.
inline constexpr std::string_view kContexts =
    "SELECT seq, salt, source_ip, user_agent FROM audit.audit_request_context "
    "WHERE domain_id = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq";

inline constexpr std::string_view kSubjects =
    "SELECT subject_pseudonym, subject_type, subject_plaintext FROM audit.audit_subject_pii "
    "WHERE domain_id = $1 AND subject_pseudonym > $2 ORDER BY subject_pseudonym LIMIT $3";

// The first entry that a pseudonym ($2, hex $3) stands in.
inline constexpr std::string_view kFirstOf =
    "SELECT coalesce((SELECT e.seq FROM audit.audit_log_entry e WHERE e.domain_id = $1 "
    "AND e.subject_pseudonym = $2 ORDER BY e.seq LIMIT 1), "
    "(SELECT e.seq FROM audit.audit_log_entry e WHERE e.domain_id = $1 "
    "AND e.object_type IN ('user', 'service-identity') AND e.object_id = $3 "
    "ORDER BY e.seq LIMIT 1), 0)";

// Entries outside of what the head spans, at most one on each side. One snapshot: an append moves
// the head in the transaction of its entries.
inline constexpr std::string_view kStrays =
    "WITH below AS (SELECT e.seq, e.entry_hash FROM audit.audit_log_entry e WHERE e.domain_id = $1 "
    "AND e.seq < 1 ORDER BY e.seq LIMIT 1), "
    "beyond AS (SELECT e.seq, e.entry_hash FROM audit.audit_log_entry e WHERE e.domain_id = $1 "
    "AND e.seq > (SELECT h.seq FROM audit.audit_log_chain_head h WHERE h.domain_id = $1) "
    "ORDER BY e.seq LIMIT 1) "
    "SELECT seq, entry_hash FROM below UNION ALL SELECT seq, entry_hash FROM beyond";

// The chains are found by skipping through the primary key, so a chain whose head was deleted is
// found too, and no entry but each chain's last is read.
inline constexpr std::string_view kHeadFaults =
    "WITH RECURSIVE chains(domain_id) AS ("
    "(SELECT domain_id FROM audit.audit_log_entry ORDER BY domain_id LIMIT 1) "
    "UNION ALL "
    "SELECT (SELECT e.domain_id FROM audit.audit_log_entry e WHERE e.domain_id > c.domain_id "
    "ORDER BY e.domain_id LIMIT 1) FROM chains c WHERE c.domain_id IS NOT NULL), "
    "ends AS ("
    "SELECT c.domain_id, e.seq, e.entry_hash, "
    "e.entry_hash = sha256(e.prev_hash || sha256(e.canonical_bytes)) AS sound "
    "FROM chains c CROSS JOIN LATERAL (SELECT * FROM audit.audit_log_entry x "
    "WHERE x.domain_id = c.domain_id ORDER BY x.seq DESC LIMIT 1) e) "
    "SELECT coalesce(h.domain_id, t.domain_id) AS domain_id, coalesce(h.seq, t.seq) AS seq, "
    "h.entry_hash AS head_hash, t.entry_hash AS last_hash "
    "FROM audit.audit_log_chain_head h FULL JOIN ends t ON t.domain_id = h.domain_id "
    "WHERE h.seq IS DISTINCT FROM t.seq OR h.entry_hash IS DISTINCT FROM t.entry_hash "
    "OR NOT t.sound LIMIT 100";

// The same way through the checkpoints: those that cover more entries than their chain has. In one
// snapshot there is none, for a checkpoint comes after what it covers.
inline constexpr std::string_view kCheckpointsBeyond =
    "WITH RECURSIVE chains(domain_id) AS ("
    "(SELECT domain_id FROM audit.audit_checkpoint ORDER BY domain_id LIMIT 1) "
    "UNION ALL "
    "SELECT (SELECT k.domain_id FROM audit.audit_checkpoint k WHERE k.domain_id > c.domain_id "
    "ORDER BY k.domain_id LIMIT 1) FROM chains c WHERE c.domain_id IS NOT NULL) "
    "SELECT n.domain_id, n.size, n.root_hash FROM chains c CROSS JOIN LATERAL "
    "(SELECT * FROM audit.audit_checkpoint x WHERE x.domain_id = c.domain_id "
    "ORDER BY x.size DESC LIMIT 1) n "
    "LEFT JOIN audit.audit_log_chain_head h ON h.domain_id = n.domain_id "
    "WHERE h.seq IS NULL OR h.seq < n.size LIMIT 100";

inline constexpr std::string_view kQuarantine =
    "INSERT INTO audit.audit_tamper_quarantine "
    "(domain_id, seq, finding, expected_hash, observed_hash) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (domain_id, seq, finding) DO NOTHING";

}  // namespace plexsphere::audit::sql
