#include "tamper/bits.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>
#include <utility>

#include "app/digest.hpp"
#include "domain/canonical_check.hpp"
#include "domain/record.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::tamper {
namespace {

using audit::Finding;
using audit::Segment;

std::string text(std::int64_t number) {
  return std::to_string(number);
}

std::string named(std::int64_t seq, Finding finding) {
  return text(seq) + " " + std::string(audit::finding_name(finding));
}

std::string turned(std::string bytes, std::size_t bit) {
  bytes[bit / 8] = static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << bit % 8));
  return bytes;
}

// What PostgreSQL lets into a text, of one byte that was ASCII.
bool is_text(const std::string& bytes, std::size_t bit) {
  const auto byte = static_cast<unsigned char>(bytes[bit / 8]);
  return byte != 0 && byte < 0x80;
}

// --- in memory -----------------------------------------------------------------------------------

// A row as the walk gets it.
struct Stored {
  std::string chain;
  std::int64_t seq = 0;
  std::int64_t occurred_at = 0;  // microseconds
  std::string prev_hash, entry_hash, canonical_bytes, subject_pseudonym;
  std::string reason, relation, object_type, object_id, correlation_id;
};

// Columns, and what a change in them is found to be.
constexpr std::array kInMemory{
    std::pair{&Stored::prev_hash, Finding::broken_link},
    std::pair{&Stored::entry_hash, Finding::hash_mismatch},
    std::pair{&Stored::canonical_bytes, Finding::hash_mismatch},
    std::pair{&Stored::subject_pseudonym, Finding::content_differs},
    std::pair{&Stored::reason, Finding::content_differs},
    std::pair{&Stored::relation, Finding::content_differs},
    std::pair{&Stored::object_type, Finding::content_differs},
    std::pair{&Stored::object_id, Finding::content_differs},
    std::pair{&Stored::correlation_id, Finding::content_differs},
};

Stored stored(Site& site, std::int64_t seq) {
  const auto column = [&](const std::string& name) {
    return site.attack("SELECT " + name + " FROM audit.audit_log_entry WHERE domain_id = '" +
                       site.chain().text() + "' AND seq = " + text(seq));
  };
  const auto bytes = [&](const std::string& name) {
    return *sdk::hex_decode(column("encode(" + name + ", 'hex')"));
  };
  return {site.chain().text(),
          seq,
          std::stoll(column("(extract(epoch FROM occurred_at) * 1000000)::bigint")),
          bytes("prev_hash"),
          bytes("entry_hash"),
          bytes("canonical_bytes"),
          bytes("subject_pseudonym"),
          column("reason"),
          column("relation"),
          column("object_type"),
          column("object_id"),
          column("correlation_id")};
}

// What a walk that stands before the row says of it.
std::string judged(const Stored& row, const std::string& before) {
  audit::ChainWalk walk(&audit::entry_hash, audit::canonical_head(row.chain), row.seq, before);
  const audit::FilterColumns columns{row.chain,
                                     row.seq,
                                     sdk::instant_from_us(row.occurred_at),
                                     row.reason,
                                     row.relation,
                                     row.object_type,
                                     row.object_id,
                                     row.subject_pseudonym,
                                     row.correlation_id};
  const auto divergence = walk.step({row.seq, row.prev_hash, row.entry_hash, row.canonical_bytes,
                                     says_exactly(row.canonical_bytes, columns)});
  return divergence ? named(divergence->seq, divergence->finding) : std::string();
}

void turn_row(const Stored& row, Tally& tally) {
  const std::string before = row.prev_hash;
  if (!judged(row, before).empty()) {
    throw std::logic_error("entry " + text(row.seq) + " does not hold before it is changed");
  }
  for (const auto& [column, finding] : kInMemory) {
    for (std::size_t bit = 0; bit < 8 * (row.*column).size(); ++bit) {
      Stored changed = row;
      changed.*column = turned(std::move(changed.*column), bit);
      tally.add("bit " + std::to_string(bit), named(row.seq, finding), judged(changed, before));
    }
  }
  for (unsigned bit = 0; bit < 56; ++bit) {  // beyond that no calendar reaches
    Stored changed = row;
    changed.occurred_at ^= std::int64_t{1} << bit;
    tally.add("bit " + std::to_string(bit) + " of occurred_at",
              named(row.seq, Finding::content_differs), judged(changed, before));
  }
}

// --- in the database -----------------------------------------------------------------------------

// The row `where` of a table of the schema, one bit of it turned and turned back.
class Turning {
 public:
  Turning(Site& site, std::string table, std::string where)
      : site_(site), table_(std::move(table)), where_(std::move(where)) {}

  std::string value(const std::string& column) const {
    return site_.attack("SELECT " + column + " FROM audit." + table_ + where_);
  }
  // Sets a column, and returns where the row is now.
  std::string set(const std::string& column, const std::string& value) const {
    return " WHERE ctid = '" +
           site_.attack("UPDATE audit." + table_ + " SET " + column + " = " + value + where_ +
                        " RETURNING ctid") +
           "'";
  }
  void set_back(const std::string& at, const std::string& column, const std::string& value) const {
    site_.attack("UPDATE audit." + table_ + " SET " + column + " = " + value + at);
  }

  // Calls `judge` with each bit of the column turned.
  template <typename Judge>
  void bytes(const std::string& column, Judge judge) const {
    const std::string now = *sdk::hex_decode(value("encode(" + column + ", 'hex')"));
    each(column, now, "'\\x", "'", false, judge);
  }
  template <typename Judge>
  void words(const std::string& column, Judge judge) const {
    const std::string now = value(column);
    each(column, now, "convert_from('\\x", "', 'UTF8')", true, judge);
  }
  template <typename Judge>
  void number(const std::string& column, Judge judge) const {
    const std::int64_t now = std::stoll(value(column));
    for (unsigned bit = 0; bit < 64; ++bit) {
      const auto changed =
          static_cast<std::int64_t>(static_cast<std::uint64_t>(now) ^ (std::uint64_t{1} << bit));
      const std::string at = set(column, "(" + text(changed) + ")::numeric::bigint");
      judge(column + " " + text(changed), changed);
      set_back(at, column, text(now));
    }
  }

 private:
  template <typename Judge>
  void each(const std::string& column, const std::string& now, const std::string& open,
            const std::string& close, bool only_text, Judge judge) const {
    for (std::size_t bit = 0; bit < 8 * now.size(); ++bit) {
      const std::string changed = turned(now, bit);
      if (only_text && (!is_text(now, bit) || !is_text(changed, bit))) {
        continue;
      }
      const std::string at = set(column, open + sdk::hex_encode(changed) + close);
      judge(column + ", bit " + std::to_string(bit));
      set_back(at, column, open + sdk::hex_encode(now) + close);
    }
  }

  Site& site_;
  std::string table_;
  std::string where_;
};

std::string of_chain(const Site& site) {
  return " WHERE domain_id = '" + site.chain().text() + "'";
}

struct Column {
  const char* name;
  enum { kBytes, kText, kTime, kNumber, kId } kind;
  Finding finding;
};

constexpr std::array kColumns{
    Column{"domain_id", Column::kId, Finding::missing_entry},
    Column{"seq", Column::kNumber, Finding::missing_entry},
    Column{"prev_hash", Column::kBytes, Finding::broken_link},
    Column{"entry_hash", Column::kBytes, Finding::hash_mismatch},
    Column{"canonical_bytes", Column::kBytes, Finding::hash_mismatch},
    Column{"occurred_at", Column::kTime, Finding::content_differs},
    Column{"reason", Column::kText, Finding::content_differs},
    Column{"relation", Column::kText, Finding::content_differs},
    Column{"object_type", Column::kText, Finding::content_differs},
    Column{"object_id", Column::kText, Finding::content_differs},
    Column{"subject_pseudonym", Column::kBytes, Finding::content_differs},
    Column{"correlation_id", Column::kText, Finding::content_differs},
};

// The column with one random bit turned, in SQL.
std::string one_turned(const Column& column, const Turning& row, std::mt19937& random) {
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  const std::string name = column.name;
  switch (column.kind) {
    case Column::kTime:
      return "'epoch'::timestamptz + ((extract(epoch FROM occurred_at) * 1000000)::bigint # " +
             text(std::int64_t{1} << below(50)) + ") * interval '1 microsecond'";
    case Column::kNumber:
      return "seq # " + text(std::int64_t{1} << below(63));
    case Column::kId: {
      const std::string bytes = *sdk::hex_decode(row.value("encode(uuid_send(domain_id), 'hex')"));
      return "'" + sdk::hex_encode(turned(bytes, below(8 * bytes.size()))) + "'";
    }
    case Column::kBytes: {
      const std::string bytes = *sdk::hex_decode(row.value("encode(" + name + ", 'hex')"));
      return "'\\x" + sdk::hex_encode(turned(bytes, below(8 * bytes.size()))) + "'";
    }
    case Column::kText:
      break;
  }
  const std::string now = row.value(name);
  for (std::size_t tries = 0; tries < 1'000 && !now.empty(); ++tries) {
    const std::size_t bit = below(8 * now.size());
    if (const std::string changed = turned(now, bit); is_text(now, bit) && is_text(changed, bit)) {
      return "convert_from('\\x" + sdk::hex_encode(changed) + "', 'UTF8')";
    }
  }
  throw std::logic_error(name + " has no bit that can be turned");
}

}  // namespace

void Tally::add(const std::string& what, const std::string& expected, const std::string& found) {
  ++turned;
  if (found != expected) {
    ++missed;
    if (told.size() < kMostTold) {
      told.push_back(what + ": '" + found + "', and not '" + expected + "'");
    }
  }
}

void Tally::add(const Tally& other) {
  turned += other.turned;
  missed += other.missed;
  told.insert(told.end(), other.told.begin(), other.told.end());
}

Tally turn_stored(Site& site, std::int64_t first, std::int64_t last) {
  Tally tally;
  for (std::int64_t seq = first; seq <= last; ++seq) {
    turn_row(stored(site, seq), tally);
  }
  return tally;
}

Tally turn_one_of_each(Site& site, unsigned seed) {
  constexpr std::int64_t kWholeEvery = 100;
  std::mt19937 random(seed);
  Tally tally;
  for (std::int64_t seq = 1; seq <= Origin::kEntries; ++seq) {
    const Column& column = kColumns[random() % kColumns.size()];
    const Turning row(site, "audit_log_entry", of_chain(site) + " AND seq = " + text(seq));
    const std::string at = row.set(column.name, one_turned(column, row, random));
    // An entry with another number may be the first to differ there too.
    const bool whole = seq % kWholeEvery == 0 && column.kind != Column::kNumber;
    tally.add(std::string(column.name) + " of entry " + text(seq), named(seq, column.finding),
              site.verify(whole ? Segment{}
                                : Segment{seq, std::min<std::int64_t>(seq + 1, Origin::kEntries)}));
    site.put_back(seq, at);
  }
  return tally;
}

Tally turn_head(Site& site) {
  Tally tally;
  const Turning head(site, "audit_log_chain_head", of_chain(site));
  const std::int64_t end = Origin::kEntries;
  head.bytes("entry_hash", [&](const std::string& what) {
    tally.add(what, named(end, Finding::head_mismatch), site.verify({end, std::nullopt}));
  });
  // A head beyond the end says that entries are missing there; one before it is none of theirs.
  head.number("seq", [&](const std::string& what, std::int64_t seq) {
    tally.add(
        what,
        seq > end ? named(end + 1, Finding::missing_entry) : named(seq, Finding::head_mismatch),
        site.verify(seq > end ? Segment{end, std::nullopt} : Segment{}));
  });
  return tally;
}

Tally turn_checkpoint(Site& site, std::int64_t size) {
  Tally tally;
  const audit::CheckpointCheck check(site.examiner().checkpoints());
  audit::CheckpointCheck::Seen seen;
  std::string last_hash;
  auto before = check.batch(site.chain(), seen, size - 1);
  const auto read = site.examiner().verifier().verify(
      site.chain(), {1, size}, [] { return true; },
      [&](const audit::Link& link) {
        if (link.seq < size) {
          before->read(link);
        }
        last_hash = link.entry_hash;
      });
  if (!read.ok() || read->divergence || before->divergence()) {
    throw std::logic_error("the chain does not hold up to its checkpoint");
  }
  seen.tree = before->tree();
  const std::string expected = named(size, Finding::checkpoint_mismatch);
  const auto judge = [&](const std::string& what) {
    auto batch = check.batch(site.chain(), seen, size);
    batch->read({size, {}, last_hash, {}, true});
    auto found = batch->divergence();
    if (!found) {  // it is elsewhere, and its own entry tells of it
      found = check.all_there(site.chain(), {size}).value();
    }
    tally.add(what, expected, found ? named(found->seq, found->finding) : std::string());
  };
  const Turning row(site, "audit_checkpoint", of_chain(site) + " AND size = " + text(size));
  row.bytes("root_hash", judge);
  row.bytes("public_key", judge);
  row.words("note", judge);
  row.number("size", [&](const std::string& what, std::int64_t) { judge(what); });
  return tally;
}

}  // namespace plexsphere::tamper
