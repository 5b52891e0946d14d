#include "app/erasure.hpp"

#include <algorithm>

#include "app/digest.hpp"
#include "app/rows.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::audit {

using sdk::Result;
using sdk::Uuid;

Result<Erasure::Outcome> Erasure::erase(const Uuid& chain, const Uuid& identity,
                                        const sdk::Request& caller,
                                        std::chrono::milliseconds timeout) const {
  const auto name = peppers_.of(chain, identity.bytes());
  if (!name.ok()) {
    return name.error();
  }
  const auto now = clock_.now();
  const auto row = own_row(chain, name.value(), caller, now);
  if (!row.ok()) {
    return row.error();
  }
  constexpr std::chrono::milliseconds kLeast{1};
  auto tx = store_.store().begin(
      {sizeof(px_tx_options), 0, static_cast<uint32_t>(std::max(timeout, kLeast).count()), 0});
  if (!tx.ok()) {
    return tx.error();
  }
  const auto erased = store_.erase(*tx, chain, name.value());
  if (!erased.ok()) {
    return erased.error();
  }
  // Not staged: it has to lie in the same hold of the chain's lock, and here it does.
  if (auto appended = store_.append(*tx, {&row.value()}); !appended.ok()) {
    return appended.error();
  }
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed.error();
  }
  log_.info("audit.identity_erased", {{"chain", chain.text()},
                                      {"pseudonym", sdk::hex_encode(name.value())},
                                      {"contexts", std::to_string(erased.value().contexts)}});
  return Outcome{name.value(), now};
}

// The erased is named by pseudonym only: their id in this entry would undo what it tells of.
Result<Row> Erasure::own_row(const Uuid& chain, const std::string& pseudonym,
                             const sdk::Request& caller, sdk::Instant now) const {
  const sdk::Principal principal = caller.principal();
  const std::string who = principal.id.is_zero() ? std::string{} : principal.id.text();
  const auto type = principal.reference_type();
  const std::string object = sdk::hex_encode(pseudonym);
  px_audit_entry wire{};
  wire.struct_size = sizeof wire;
  wire.chain = PX_CHAIN_PLATFORM;  // where it really goes is `chain`
  wire.reason = PX_REASON_GRANTED;
  wire.subject_type = sdk::to_wire(type);
  wire.subject_id = sdk::to_wire(who);
  wire.relation = sdk::to_wire("audit.erase-identity");
  wire.object_type = sdk::to_wire("audit_subject");
  wire.object_id = sdk::to_wire(object);
  wire.correlation_id = sdk::to_wire(caller.correlation_id());
  wire.remote_ip = sdk::to_wire(caller.remote_ip());
  wire.user_agent = sdk::to_wire(caller.user_agent());
  const auto entry = copy_entry(wire, now);
  if (!entry.ok()) {
    return entry.error();
  }
  return row_in(chain, entry.value(), peppers_);
}

}  // namespace plexsphere::audit
