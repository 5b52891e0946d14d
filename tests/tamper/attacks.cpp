#include "tamper/attacks.hpp"

#include <algorithm>
#include <cstdint>

namespace plexsphere::tamper {
namespace {

constexpr std::int64_t kEntry = 500;  // in the middle, a user's, from an address
constexpr std::int64_t kLast = Origin::kEntries;

std::string text(std::int64_t number) {
  return std::to_string(number);
}

// Statements about the chain A, and the other Domain's, B.
class Sql {
 public:
  explicit Sql(Site& site) : site_(site) {}

  std::string a() const { return "'" + site_.chain().text() + "'"; }
  std::string b() const { return "'" + site_.origin().other().text() + "'"; }
  std::string of_a() const { return " WHERE domain_id = " + a(); }
  std::string of_b() const { return " WHERE domain_id = " + b(); }
  std::string at(std::int64_t seq) const { return of_a() + " AND seq = " + text(seq); }
  std::string set(const std::string& what, std::int64_t seq = kEntry) const {
    return "UPDATE audit.audit_log_entry SET " + what + at(seq);
  }
  std::string set_head(const std::string& what) const {
    return "UPDATE audit.audit_log_chain_head SET " + what + of_a();
  }
  std::string drop(const std::string& which) const {
    return "DELETE FROM audit.audit_log_entry" + of_a() + " AND " + which;
  }
  // A copy of entries of either chain among A's, with another number.
  std::string copy(const std::string& from, const std::string& seq) const {
    return "INSERT INTO audit.audit_log_entry SELECT " + a() + ", " + seq +
           ", prev_hash, entry_hash, canonical_bytes, occurred_at, reason, relation, object_type, "
           "object_id, subject_pseudonym, correlation_id, archive_etag, archived_at FROM "
           "audit.audit_log_entry" +
           from;
  }
  std::string say(std::int64_t seq, const std::string& what = "forged") const {
    return "SELECT kept.say(" + a() + ", " + text(seq) + ", '" + what + "')";
  }
  std::string rehash(std::int64_t from) const {
    return "SELECT kept.rehash(" + a() + ", " + text(from) + ")";
  }
  // Another entry behind the end, with every hash as the core would have it.
  std::string append(const std::string& from) const {
    return copy(from, text(kLast + 1)) +
           "; UPDATE audit.audit_log_entry SET canonical_bytes = convert_to(regexp_replace("
           "convert_from(canonical_bytes, 'UTF8'), '\"seq\":[0-9]+,', '\"seq\":" +
           text(kLast + 1) + ",'), 'UTF8')" + at(kLast + 1) + "; " + rehash(kLast + 1);
  }
  // With the checkpoints beyond it, as from a backup.
  std::string restore_to(std::int64_t size) const {
    return set_back(size + 1) + "; DELETE FROM audit.audit_checkpoint" + of_a() + " AND size > " +
           text(size);
  }
  std::string set_back(std::int64_t to) const {
    return drop("seq > " + text(to)) +
           "; UPDATE audit.audit_log_chain_head h SET seq = e.seq, entry_hash = e.entry_hash FROM "
           "audit.audit_log_entry e WHERE e.domain_id = h.domain_id AND e.domain_id = " +
           a() + " AND e.seq = " + text(to);
  }
  std::int64_t end_of_b() const {
    return std::stoll(site_.attack("SELECT seq FROM audit.audit_log_chain_head" + of_b()));
  }

 private:
  Site& site_;
};

// An entry that does not hold: whoever reads it finds it, and the probe reads the last one only.
Verdicts by_reading(const std::string& what) {
  return {what, "", what, what};
}

std::string mismatch(std::int64_t size) {
  return text(size) + " checkpoint_mismatch";
}

std::string rewritten() {
  return text(kLast) + " rewritten";
}

}  // namespace

std::vector<Attack> column_attacks(Site& site) {
  const Sql sql(site);
  const auto changed = [&](const std::string& what, const std::string& finding) {
    return Attack{what, sql.set(what), by_reading("500 " + finding)};
  };
  std::vector<Attack> all{
      changed("prev_hash = sha256(prev_hash)", "broken_link"),
      changed("entry_hash = sha256(entry_hash)", "hash_mismatch"),
      changed("canonical_bytes = canonical_bytes || ' '", "hash_mismatch"),
      changed("occurred_at = occurred_at + interval '1 microsecond'", "content_differs"),
      changed("occurred_at = 'infinity'", "content_differs"),
      changed("occurred_at = '-infinity'", "content_differs"),
      changed("occurred_at = '4713-01-01 BC'", "content_differs"),
      changed("reason = 'unknown'", "content_differs"),
      changed("relation = 'project.x'", "content_differs"),
      changed("object_type = 'domain'", "content_differs"),
      changed("object_id = object_id || ' '", "content_differs"),
      changed("subject_pseudonym = sha256(subject_pseudonym)", "content_differs"),
      changed("correlation_id = ''", "content_differs"),
      {"another chain's", sql.set("domain_id = " + sql.b()), by_reading("500 missing_entry")},
      {"another number",
       sql.set("seq = 1500"),
       {"500 missing_entry", "1000 head_mismatch", "500 missing_entry", "500 missing_entry"}},
  };
  for (const char* column : {"occurred_at", "reason", "relation", "object_type", "object_id",
                             "subject_pseudonym", "correlation_id"}) {
    all.push_back(changed(std::string(column) + " = NULL", "content_differs"));
  }
  all.push_back(changed("prev_hash = NULL", "broken_link"));
  all.push_back(changed("entry_hash = NULL", "hash_mismatch"));
  all.push_back(changed("canonical_bytes = NULL", "hash_mismatch"));
  all.push_back(
      {"no number",
       sql.set("seq = NULL"),
       {"500 missing_entry", "1000 head_mismatch", "500 missing_entry", "500 missing_entry"}});
  return all;
}

std::vector<Attack> order_attacks(Site& site) {
  const Sql sql(site);
  const std::string shift_up = "UPDATE audit.audit_log_entry SET seq = seq + 1" + sql.of_a() +
                               " AND seq > 500; " + sql.copy(sql.at(500), "501") + "; " +
                               sql.set_head("seq = 1001");
  const std::string shift_down = sql.drop("seq = 500") +
                                 "; UPDATE audit.audit_log_entry SET seq = seq - 1" + sql.of_a() +
                                 " AND seq > 500; " + sql.set_head("seq = 999");
  const std::int64_t newest = site.checkpoints().back();
  return {
      {"two entries swapped",
       "UPDATE audit.audit_log_entry SET seq = 1001 - seq" + sql.of_a() + " AND seq IN (500, 501)",
       by_reading("500 broken_link")},
      {"an entry twice under its number", sql.copy(sql.at(500), "500"),
       by_reading("500 duplicate_entry")},
      {"the last entry twice under its number", sql.copy(sql.at(1000), "1000"),
       by_reading("1000 duplicate_entry")},
      {"an entry twice, the rest counted on",
       shift_up,
       {"501 broken_link", "", "501 broken_link", rewritten()}},
      {"an entry again behind the end",
       sql.copy(sql.at(500), "1001"),
       {"1001 stray_entry", "1000 head_mismatch", "1001 stray_entry", "1001 stray_entry"}},
      {"an entry before the first", sql.copy(sql.at(1), "0"), by_reading("0 stray_entry")},
      {"an entry far before the first", sql.copy(sql.at(1), "-7"), by_reading("-7 stray_entry")},
      {"an entry dropped", sql.drop("seq = 500"), by_reading("500 missing_entry")},
      {"the first entry dropped", sql.drop("seq = 1"), by_reading("1 missing_entry")},
      {"an entry dropped, the rest counted down",
       shift_down,
       {"500 broken_link", "", "500 broken_link", rewritten()}},
      {"the end cut off, the head left",
       sql.drop("seq > 990"),
       {"991 missing_entry", "1000 head_mismatch", "991 missing_entry", rewritten()}},
      {"the end cut off below a checkpoint, with the head",
       sql.set_back(newest - 1),
       {"", mismatch(newest), mismatch(newest), rewritten()}},
      // No checkpoint covers it: only who has seen it knows, and the mirror.
      {"the end cut off behind the last checkpoint, with the head",
       sql.set_back(990),
       {"", "", "", rewritten()}},
      {"set back to a checkpoint, with all later ones",
       sql.restore_to(site.checkpoints()[1]),
       {"", "", "", rewritten()}},
      // The signer is asked whether it knows of it.
      {"set back, with a declaration that the signer never signed",
       sql.restore_to(site.checkpoints()[1]) +
           "; INSERT INTO audit.audit_epoch (domain_id, epoch, before_size, after_size, note, "
           "key_id, public_key) VALUES (" +
           sql.a() + ", 2, " + text(newest) + ", " + text(site.checkpoints()[1]) +
           ", 'restored', 'k', sha256(''))",
       {"", "", "", rewritten()}},
      {"the beginning cut off, behind a boundary that no checkpoint names",
       "INSERT INTO audit.audit_boundary (domain_id, seq, entry_hash) SELECT domain_id, seq, "
       "entry_hash FROM audit.audit_log_entry" +
           sql.at(256) + "; " + sql.drop("seq <= 256"),
       by_reading("1 missing_entry")},
      // It is as if the core had written it.
      {"an entry appended as the core would", sql.append(sql.at(kEntry)), {}},
      {"everything gone",
       sql.drop("true") + "; DELETE FROM audit.audit_log_chain_head" + sql.of_a(),
       {"", mismatch(newest), "", rewritten()}},
  };
}

std::vector<Attack> head_attacks(Site& site) {
  const Sql sql(site);
  const std::string newest = mismatch(site.checkpoints().back());
  const std::string end = text(sql.end_of_b());
  return {
      {"its hash",
       sql.set_head("entry_hash = sha256(entry_hash)"),
       {"1000 head_mismatch", "1000 head_mismatch", "1000 head_mismatch", "1000 head_mismatch"}},
      {"its number, one more",
       sql.set_head("seq = 1001"),
       {"1001 missing_entry", "1001 head_mismatch", "1001 missing_entry", "1001 missing_entry"}},
      {"its number, one less",
       sql.set_head("seq = 999"),
       {"999 head_mismatch", "999 head_mismatch", "999 head_mismatch", "999 head_mismatch"}},
      {"its number, below any",
       sql.set_head("seq = -5"),
       {"-5 head_mismatch", "-5 head_mismatch, " + newest, "-5 head_mismatch", "-5 head_mismatch"}},
      {"an earlier entry's, the rest left there",
       "UPDATE audit.audit_log_chain_head h SET seq = e.seq, entry_hash = e.entry_hash FROM "
       "audit.audit_log_entry e WHERE e.domain_id = h.domain_id AND e.domain_id = " +
           sql.a() + " AND e.seq = 990",
       {"991 stray_entry", "990 head_mismatch", "991 stray_entry", "990 head_mismatch"}},
      {"that of a chain without entries",
       sql.set_head("seq = 0, entry_hash = decode(repeat('00', 32), 'hex')"),
       {"1 stray_entry", "0 head_mismatch, " + newest, "0 head_mismatch", "0 head_mismatch"}},
      {"another chain's",
       sql.set_head("(seq, entry_hash) = (SELECT seq, entry_hash FROM audit.audit_log_chain_head" +
                    sql.of_b() + ")"),
       {end + " head_mismatch", end + " head_mismatch, " + newest, end + " head_mismatch",
        end + " head_mismatch"}},
      {"swapped with another chain's",
       "UPDATE audit.audit_log_chain_head h SET seq = o.seq, entry_hash = o.entry_hash FROM "
       "audit.audit_log_chain_head o WHERE (h.domain_id, o.domain_id) IN ((" +
           sql.a() + ", " + sql.b() + "), (" + sql.b() + ", " + sql.a() + "))",
       {end + " head_mismatch", end + " head_mismatch, " + newest, end + " head_mismatch",
        end + " head_mismatch"}},
      // A chain without a head is in no list: the probe of every process finds it.
      {"gone",
       "DELETE FROM audit.audit_log_chain_head" + sql.of_a(),
       {"1000 head_mismatch", newest + ", 1000 head_mismatch", "", ""}},
  };
}

std::vector<Attack> rewriting_attacks(Site& site) {
  const Sql sql(site);
  std::vector<Attack> all;
  for (const std::int64_t from : {std::int64_t{1}, kEntry, site.checkpoints().back()}) {
    const auto first =
        *std::lower_bound(site.checkpoints().begin(), site.checkpoints().end(), from);
    all.push_back({"every hash from " + text(from) + " on",
                   sql.say(from) + "; " + sql.rehash(from),
                   {"", "", mismatch(first), rewritten()}});
  }
  const std::string forged = sql.say(kEntry) + "; " + sql.rehash(kEntry);
  // What no checkpoint covers: only who has seen it knows, and the mirror.
  all.push_back({"every hash behind the last checkpoint",
                 sql.say(950) + "; " + sql.rehash(950),
                 {"", "", "", rewritten()}});
  all.push_back({"one entry and its hash alone",
                 sql.say(kEntry) + "; " +
                     sql.set("entry_hash = sha256(prev_hash || sha256(canonical_bytes))"),
                 by_reading("501 broken_link")});
  all.push_back({"every hash, and no checkpoint left",
                 forged + "; DELETE FROM audit.audit_checkpoint" + sql.of_a(),
                 {"", "", mismatch(site.checkpoints().front()), rewritten()}});
  const std::string from_b = sql.of_b() + " AND seq BETWEEN 10 AND 15";
  const std::string graft = sql.drop("seq BETWEEN 10 AND 15") + "; " + sql.copy(from_b, "seq");
  all.push_back(
      {"another chain's entries in place of its own", graft, by_reading("10 broken_link")});
  all.push_back({"another chain's entries, every hash made to fit",
                 graft + "; " + sql.rehash(10),
                 {"10 content_differs", "", "10 content_differs", rewritten()}});
  all.push_back({"another chain as a whole",
                 sql.drop("true") + "; " + sql.copy(sql.of_b(), "seq") + "; " + sql.rehash(1),
                 {"1 content_differs", mismatch(site.checkpoints().back()), "1 content_differs",
                  rewritten()}});
  return all;
}

std::vector<Attack> checkpoint_attacks(Site& site) {
  const Sql sql(site);
  const auto& sizes = site.checkpoints();
  const std::string newest = mismatch(sizes.back());
  const std::string middle = mismatch(sizes[1]);
  const auto where = [&](std::int64_t size) { return sql.of_a() + " AND size = " + text(size); };
  const auto set = [&](const std::string& what, std::int64_t size) {
    return "UPDATE audit.audit_checkpoint SET " + what + where(size);
  };
  std::vector<Attack> all;
  for (const std::string what :
       {"root_hash = sha256(root_hash)", "public_key = sha256(public_key)",
        "note = replace(note, 'domain:', 'domain;')", "note = ''", "note = note || note"}) {
    all.push_back({"the newest: " + what, set(what, sizes.back()), {"", "", newest, newest}});
    all.push_back({"an older one: " + what, set(what, sizes[1]), {"", "", middle, middle}});
  }
  // Nothing vouches for these two.
  for (const std::string what : {"signed_at = signed_at - interval '1 day'", "key_id = 'x'"}) {
    all.push_back({"the newest: " + what, set(what, sizes.back()), {}});
  }
  all.push_back({"the newest gone",
                 "DELETE FROM audit.audit_checkpoint" + where(sizes.back()),
                 {"", "", newest, newest}});
  all.push_back({"an older one gone",
                 "DELETE FROM audit.audit_checkpoint" + where(sizes[1]),
                 {"", "", middle, middle}});
  all.push_back({"all gone",
                 "DELETE FROM audit.audit_checkpoint" + sql.of_a(),
                 {"", "", mismatch(sizes.front()), newest}});
  all.push_back({"another size",
                 set("size = size - 1", sizes[1]),
                 {"", "", mismatch(sizes[1] - 1), mismatch(sizes[1] - 1)}});
  all.push_back({"another chain's",
                 "INSERT INTO audit.audit_checkpoint SELECT " + sql.a() +
                     ", 30, root_hash, note, key_id, public_key, signed_at FROM "
                     "audit.audit_checkpoint" +
                     sql.of_b() + " ORDER BY size DESC LIMIT 1",
                 {"", "", "30 checkpoint_mismatch", "30 checkpoint_mismatch"}});
  all.push_back({"a kept node of its tree",
                 "UPDATE audit.audit_tree_node SET hash = sha256(hash)" + sql.of_a() +
                     " AND level = 8 AND idx = 1",
                 {"", "", newest, middle}});
  return all;
}

std::vector<Attack> sibling_attacks(Site& site) {
  const Sql sql(site);
  const auto context = [&](const std::string& what) {
    return "UPDATE audit.audit_request_context SET " + what + sql.at(kEntry);
  };
  const auto by = [&](const std::string& what) { return by_reading("500 " + what); };
  const std::string of_subject =
      sql.of_a() + " AND subject_pseudonym = (SELECT subject_pseudonym FROM audit.audit_log_entry" +
      sql.at(kEntry) + ")";
  const std::string first = site.attack("SELECT min(seq) FROM audit.audit_log_entry" + of_subject);
  const std::string another = "'0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b'";
  std::vector<Attack> all;
  for (const char* what :
       {"source_ip = '198.51.100.1'", "source_ip = NULL", "source_ip = 'nowhere'",
        "user_agent = user_agent || ' '", "user_agent = NULL",
        "salt = decode(repeat('00', 16), "
        "'hex')"}) {
    all.push_back({what, context(what), by("context_differs")});
  }
  all.push_back({"another entry's context",
                 context("seq = 7000") +
                     "; UPDATE "
                     "audit.audit_request_context SET seq = 500" +
                     sql.at(498),
                 by("context_differs")});
  for (const std::string& what :
       {"subject_plaintext = " + another, std::string("subject_type = 'system'")}) {
    all.push_back({"another person: " + what,
                   "UPDATE audit.audit_subject_pii SET " + what + of_subject,
                   by_reading(first + " subject_differs")});
  }
  // What stands beside a chain is erasable.
  all.push_back({"no context", "DELETE FROM audit.audit_request_context" + sql.at(kEntry), {}});
  all.push_back({"nobody", "DELETE FROM audit.audit_subject_pii" + of_subject, {}});
  return all;
}

}  // namespace plexsphere::tamper
