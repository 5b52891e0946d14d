#include "soak/audit/chains.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace plexsphere::soak {

namespace {

constexpr std::string_view kOfClients = "soak-";
const std::string kGenesis(64, '0');

[[noreturn]] void fail(const std::string& chain, std::int64_t seq, const std::string& what) {
  throw std::runtime_error("chain " + chain + ", entry " + std::to_string(seq) + ": " + what);
}

}  // namespace

struct Chains::Line {
  bool is_head = false;
  std::string chain;
  std::int64_t seq = 0;
  std::string prev;
  std::string hash;
  bool sound = false;
  std::string correlation;
  std::string relation;
  std::string object;
  std::string reason;

  static Line parse(const std::string& text) {
    std::istringstream in(text);
    std::string cells[10];
    for (auto& cell : cells) {
      std::getline(in, cell, '|');
    }
    return {cells[0] == "head",
            cells[1],
            std::stoll(cells[2]),
            cells[3],
            cells[4],
            cells[5] == "t",
            cells[6],
            cells[7],
            cells[8],
            cells[9]};
  }
};

// How far each chain is known, as rows of SQL.
std::string Chains::positions() const {
  std::string out = "('00000000-0000-0000-0000-000000000000'::uuid, 0)";
  for (const auto& [chain, hashes] : hashes_) {
    out += ", ('" + chain + "', " + std::to_string(hashes.size()) + ")";
  }
  return out;
}

void Chains::read() {
  // One statement, so that entries and heads are of one moment.
  std::istringstream lines(site_->sql(
      "SELECT 'entry', e.domain_id, e.seq, encode(e.prev_hash, 'hex'), encode(e.entry_hash, 'hex'),"
      " e.entry_hash = sha256(e.prev_hash || sha256(e.canonical_bytes)), e.correlation_id, "
      "e.relation, e.object_id, e.reason FROM audit.audit_log_entry e LEFT JOIN (VALUES " +
      positions() +
      ") k(chain, seq) ON k.chain = e.domain_id WHERE e.seq > coalesce(k.seq, 0) UNION ALL "
      "SELECT 'head', domain_id, seq, '', encode(entry_hash, 'hex'), true, '', '', '', '' "
      "FROM audit.audit_log_chain_head ORDER BY 2, 1, 3"));
  std::map<std::string, bool> ended;
  for (std::string text; std::getline(lines, text);) {
    const Line line = Line::parse(text);
    if (line.is_head) {
      check_end(line);
      ended[line.chain] = true;
    } else {
      take(line);
    }
  }
  for (const auto& [chain, hashes] : hashes_) {
    if (!ended.contains(chain)) {
      fail(chain, static_cast<std::int64_t>(hashes.size()), "the chain has no head");
    }
  }
}

void Chains::take(const Line& line) {
  auto& hashes = hashes_[line.chain];
  if (line.seq != static_cast<std::int64_t>(hashes.size()) + 1) {
    fail(line.chain, line.seq, "follows entry " + std::to_string(hashes.size()));
  }
  if (line.prev != (hashes.empty() ? kGenesis : hashes.back())) {
    fail(line.chain, line.seq, "names another entry before it than was there");
  }
  if (!line.sound) {
    fail(line.chain, line.seq, "is not what its hash says");
  }
  hashes.push_back(line.hash);
  if (line.correlation.starts_with(kOfClients)) {
    by_correlation_[line.correlation].push_back(
        {line.chain, line.seq, line.relation, line.object, line.reason});
  }
}

void Chains::check_end(const Line& head) const {
  const auto found = hashes_.find(head.chain);
  const auto known = found == hashes_.end() ? 0 : found->second.size();
  if (head.seq != static_cast<std::int64_t>(known) || found->second.back() != head.hash) {
    fail(head.chain, head.seq,
         "is the head's, but entries are there, or were, up to " + std::to_string(known));
  }
}

void Chains::compare(const Ledger::Page& page) {
  for (const auto& attempt : page.attempts) {
    compare(attempt);
  }
  for (const auto& seen : page.seen) {
    compare(seen);
  }
}

const std::vector<Chains::Entry>& Chains::entries_of(const std::string& correlation) const {
  static const std::vector<Entry> none;
  const auto found = by_correlation_.find(correlation);
  return found == by_correlation_.end() ? none : found->second;
}

void Chains::compare(const Attempt& attempt) {
  const auto wrong = [&](const std::string& what) {
    throw std::runtime_error(attempt.correlation + ", answered with " +
                             std::to_string(attempt.status) + ": " + what);
  };
  const std::string_view change = change_of(attempt.kind);
  std::size_t changes = 0;
  std::size_t decisions = 0;
  for (const Entry& entry : entries_of(attempt.correlation)) {
    if (entry.relation == change) {
      ++changes;
      if (attempt.acknowledged() && entry.object != attempt.object) {
        wrong("its entry is of " + entry.object + ", not of " + attempt.object);
      }
      if (entry.chain != (attempt.kind == Kind::kDomain ? entry.object : attempt.chain)) {
        wrong("its entry is in the chain " + entry.chain);
      }
    } else if (entry.relation.find('.') == std::string::npos) {
      ++decisions;
      if (entry.chain != attempt.chain) {
        wrong("its decision is in the chain " + entry.chain);
      }
      if ((entry.reason == "granted") != (attempt.kind != Kind::kDenied)) {
        wrong("its decision is recorded as " + entry.reason);
      }
    } else if (change.empty()) {
      wrong("it has an entry of a change: " + entry.relation);
    }
  }
  const std::size_t most = change.empty() ? 0 : 1;
  if (attempt.acknowledged() && (changes != most || decisions != 1)) {
    wrong("it has " + std::to_string(changes) + " entries of a change and " +
          std::to_string(decisions) + " of a decision");
  }
  if (changes > most || decisions > 1 || changes > decisions) {
    wrong("nobody was told, and it has " + std::to_string(changes) + " entries of a change and " +
          std::to_string(decisions) + " of a decision");
  }
  acknowledged_ += attempt.acknowledged() ? 1 : 0;
}

void Chains::compare(const Ledger::Seen& seen) {
  std::size_t there = 0;
  for (const Entry& entry : entries_of(seen.correlation)) {
    there += entry.chain == seen.chain ? 1 : 0;
  }
  if (there != seen.places.size()) {
    throw std::runtime_error("of " + seen.correlation + " the API showed " +
                             std::to_string(seen.places.size()) + " entries, and there are " +
                             std::to_string(there));
  }
  for (const Place& place : seen.places) {
    const auto chain = hashes_.find(place.chain);
    const auto at = static_cast<std::size_t>(place.seq - 1);
    if (chain == hashes_.end() || at >= chain->second.size()) {
      fail(place.chain, place.seq, "was shown to a client and is gone");
    }
    if (chain->second[at] != place.hash) {
      fail(place.chain, place.seq, "was shown to a client as another");
    }
    const auto& entries = entries_of(seen.correlation);
    if (std::none_of(entries.begin(), entries.end(), [&](const Entry& entry) {
          return entry.chain == place.chain && entry.seq == place.seq;
        })) {
      fail(place.chain, place.seq, "is not of " + seen.correlation);
    }
    ++numbers_compared_;
  }
}

void Chains::read_again() const {
  std::map<std::string, std::size_t> at;
  std::istringstream lines(
      site_->sql("SELECT domain_id, seq, encode(entry_hash, 'hex') FROM audit.audit_log_entry "
                 "ORDER BY domain_id, seq"));
  for (std::string line; std::getline(lines, line);) {
    const std::string chain = line.substr(0, 36);
    const auto seq = std::stoull(line.substr(37));
    const std::string hash = line.substr(line.rfind('|') + 1);
    const auto known = hashes_.find(chain);
    if (known == hashes_.end() || seq > known->second.size()) {
      continue;  // appended meanwhile
    }
    if (seq != ++at[chain] || known->second[seq - 1] != hash) {
      fail(chain, static_cast<std::int64_t>(seq), "is not what was there before");
    }
  }
  for (const auto& [chain, hashes] : hashes_) {
    if (at[chain] != hashes.size()) {
      fail(chain, static_cast<std::int64_t>(at[chain] + 1), "is gone");
    }
  }
}

std::uint64_t Chains::entries() const {
  std::uint64_t count = 0;
  for (const auto& [chain, hashes] : hashes_) {
    count += hashes.size();
  }
  return count;
}

}  // namespace plexsphere::soak
