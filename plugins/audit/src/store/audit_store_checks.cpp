// What AuditStore reads to verify chains, and where findings are kept.
#include <utility>

#include "app/digest.hpp"
#include "domain/canonical_check.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "store/audit_store.hpp"
#include "store/row_values.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Bytes;
using sdk::Param;
using sdk::Result;
using sdk::Statement;
using sdk::Status;
using sdk::Transaction;
using sdk::Uuid;

// Whether address and user agent are those of the digest; spelt as they were written, since what is
// hashed is not the text.
bool is_context_of(std::string_view digest, std::string_view salt,
                   const std::optional<std::string>& ip, const std::optional<std::string>& agent) {
  const Address address = parse_address(ip.value_or(std::string()));
  return salt.size() == kSaltSize && (!ip || *ip == address.text) && (!agent || !agent->empty()) &&
         is_hex_of(digest, context_hash(salt, address, agent.value_or(std::string())));
}

// Of a row of the walk.
FilterColumns filter_columns(std::string_view chain, const sdk::Row& row) {
  return {chain,       row.integer(0), row.instant(4), row.text(5), row.text(6),
          row.text(7), row.text(8),    row.bytes(9),   row.text(10)};
}

// Numbers of one COPY: enough that asking again costs nothing, few enough that a walk which stops
// has little to drop.
constexpr std::int64_t kStep = 8192;

// Calls `each` with the rows from..to in the order of their numbers until it returns false, or
// until a whole step has no rows: whoever walks knows that the end was not reached.
template <typename Each>
Status walk_in_steps(const Transaction& tx, Statement statement, const Uuid& chain,
                     std::int64_t from, std::int64_t to, Each each) {
  for (bool more = from <= to; more;) {
    const std::int64_t until = to - from < kStep ? to : from + kStep - 1;
    const std::initializer_list<Param> parameters{Param(chain), Param(from), Param(until)};
    bool any = false;
    bool wanted = true;
    const auto done =
        tx.stream(statement, std::span<const Param>(parameters.begin(), parameters.size()),
                  [&](const sdk::Row& row) {
                    any = true;
                    return wanted = each(row);
                  });
    if (!done.ok()) {
      return done;
    }
    more = any && wanted && until < to;
    from = more ? until + 1 : from;
  }
  return {};
}

}  // namespace

Status AuditStore::walk(const Transaction& tx, const Uuid& chain, std::int64_t from,
                        std::int64_t to, const std::function<bool(const Link&)>& each) const {
  const std::string chain_text = chain.text();
  return walk_in_steps(tx, walk_, chain, from, to, [&](const sdk::Row& row) {
    return each({row.integer(0), row.bytes(1), row.bytes(2), row.bytes(3),
                 says_exactly(row.bytes(3), filter_columns(chain_text, row))});
  });
}

Status AuditStore::walk_links(const Transaction& tx, const Uuid& chain, std::int64_t from,
                              std::int64_t to, const std::function<bool(const Link&)>& each) const {
  return walk_in_steps(tx, walk_links_, chain, from, to, [&](const sdk::Row& row) {
    return each({row.integer(0), row.bytes(1), row.bytes(2), row.bytes(3), true});
  });
}

Result<std::optional<Divergence>> AuditStore::context_fault(
    const Transaction& tx, const Uuid& chain, std::int64_t from, std::int64_t to,
    const std::function<std::string_view(std::int64_t seq)>& digest_of) const {
  const std::initializer_list<Param> parameters{Param(chain), Param(from), Param(to)};
  std::optional<Divergence> fault;
  const auto done = tx.stream(
      contexts_, std::span<const Param>(parameters.begin(), parameters.size()),
      [&](const sdk::Row& row) {
        if (!is_context_of(digest_of(row.integer(0)), row.bytes(1), row.optional_string(2),
                           row.optional_string(3))) {
          fault = Divergence{row.integer(0), Finding::context_differs, std::nullopt, std::nullopt};
        }
        return !fault;
      });
  return done.ok() ? Result<std::optional<Divergence>>(std::move(fault)) : done.error();
}

Result<std::vector<NamedSubject>> AuditStore::subjects(const Uuid& chain, std::string_view after,
                                                       std::int64_t limit) const {
  const auto rows = store_.read_once(subjects_, chain, Bytes{after}, limit);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<NamedSubject> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({std::string(row.bytes(0)), row.string(1), row.string(2)});
  }
  return out;
}

Result<std::int64_t> AuditStore::first_of(const Uuid& chain, std::string_view pseudonym) const {
  const auto rows =
      store_.read_once(first_of_, chain, Bytes{pseudonym}, sdk::hex_encode(pseudonym));
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::int64_t{0} : (*rows)[0].integer(0);
}

Result<std::vector<Divergence>> AuditStore::strays(const Transaction& tx, const Uuid& chain) const {
  const auto rows = tx.run(strays_, chain);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<Divergence> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.integer(0), Finding::stray_entry, std::nullopt, optional_bytes(row, 1)});
  }
  return out;
}

Result<std::vector<HeadFault>> AuditStore::head_faults() const {
  const auto rows = store_.read_once(head_faults_);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<HeadFault> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.uuid(0), row.integer(1), optional_bytes(row, 2), optional_bytes(row, 3)});
  }
  return out;
}

Result<std::vector<CheckpointBeyond>> AuditStore::checkpoints_beyond() const {
  const auto rows = store_.read_once(checkpoints_beyond_);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<CheckpointBeyond> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const sdk::Row row = (*rows)[i];
    out.push_back({row.uuid(0), row.integer(1), std::string(row.bytes(2))});
  }
  return out;
}

Status AuditStore::quarantine(const Uuid& chain, const Divergence& divergence) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  const auto kept = tx->run(quarantine_, chain, divergence.seq, finding_name(divergence.finding),
                            bytes_of(divergence.expected), bytes_of(divergence.observed));
  if (!kept.ok()) {
    return kept.error();
  }
  return tx->commit();
}

}  // namespace plexsphere::audit
