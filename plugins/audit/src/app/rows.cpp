#include "app/rows.hpp"

#include <utility>

namespace plexsphere::audit {

sdk::Result<Row> row_in(const sdk::Uuid& chain, const Entry& entry, Peppers& peppers) {
  const auto subject = peppers.of(chain, entry.subject_bytes);
  if (!subject.ok()) {
    return subject.error();
  }
  std::optional<std::string> object;
  if (entry.object_bytes) {
    auto named = peppers.of(chain, *entry.object_bytes);
    if (!named.ok()) {
      return named.error();
    }
    object = std::move(*named);
  }
  return make_row(entry, chain, subject.value(), object);
}

std::optional<Row> known_row_in(const sdk::Uuid& chain, const Entry& entry,
                                const Peppers& peppers) {
  const auto subject = peppers.known(chain, entry.subject_bytes);
  const auto object = entry.object_bytes ? peppers.known(chain, *entry.object_bytes) : std::nullopt;
  if (!subject || object.has_value() != entry.object_bytes.has_value()) {
    return std::nullopt;
  }
  return make_row(entry, chain, *subject, object);
}

sdk::Result<Row> own_row(const sdk::Uuid& chain, const OwnAct& act, sdk::Instant now,
                         Peppers& peppers) {
  std::vector<px_str> path;
  for (const std::string& step : act.path) {
    path.push_back(sdk::to_wire(step));
  }
  px_audit_entry wire{};
  wire.struct_size = sizeof wire;
  wire.chain = PX_CHAIN_PLATFORM;  // where it really goes is `chain`
  wire.reason = PX_REASON_GRANTED;
  wire.subject_type = sdk::to_wire("system");
  wire.subject_id = sdk::to_wire(act.by);
  wire.relation = sdk::to_wire(act.relation);
  wire.object_type = sdk::to_wire(act.object_type);
  wire.object_id = sdk::to_wire(act.object_id);
  wire.correlation_id = sdk::to_wire(act.correlation_id);
  wire.relation_path = path.data();
  wire.relation_path_count = path.size();
  const auto entry = copy_entry(wire, now);
  return entry.ok() ? row_in(chain, entry.value(), peppers) : sdk::Result<Row>(entry.error());
}

sdk::Result<std::vector<Row>> RecordedRows::of(const Entry& entry) const {
  const auto chains = resolvers_.chains(entry);
  if (!chains.ok()) {
    return chains.error();
  }
  std::vector<Row> rows;
  for (const sdk::Uuid& chain : chains.value()) {
    auto row = row_in(chain, entry, peppers_);
    if (!row.ok()) {
      return row.error();
    }
    rows.push_back(std::move(*row));
  }
  cap(entry, rows);
  return rows;
}

std::optional<std::vector<Row>> RecordedRows::known_of(const Entry& entry) const {
  const auto chains = resolvers_.known_chains(entry);
  if (!chains) {
    return std::nullopt;
  }
  std::vector<Row> rows;
  for (const sdk::Uuid& chain : *chains) {
    auto row = known_row_in(chain, entry, peppers_);
    if (!row) {
      return std::nullopt;
    }
    rows.push_back(std::move(*row));
  }
  cap(entry, rows);
  return rows;
}

// Last, so that an entry is judged once, when nothing can fail any more. Making the row has brought
// the chain's pepper into memory, and an announcement names nobody but the same subject.
void RecordedRows::cap(const Entry& entry, std::vector<Row>& rows) const {
  std::vector<Row> kept;
  for (Row& row : rows) {
    const auto verdict = cap_.judge(entry, row.chain);
    if (verdict == DenialCap::Verdict::kWrite) {
      kept.push_back(std::move(row));
    } else if (verdict == DenialCap::Verdict::kAnnounce) {
      auto announcement = known_row_in(row.chain, cap_.announcement(entry), peppers_);
      kept.push_back(announcement ? std::move(*announcement) : std::move(row));
    }
  }
  rows = std::move(kept);
}

}  // namespace plexsphere::audit
