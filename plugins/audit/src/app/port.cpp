#include "app/port.hpp"

#include <utility>
#include <vector>

#include "app/rows.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::audit {

using sdk::Code;
using sdk::Error;
using sdk::Status;

Port::Port(const Parts& parts)
    : parts_(parts),
      table_{{sizeof(px_audit), 1, this}, &Port::stage, &Port::record, &Port::resolve_with} {}

Status Port::join() {
  const px_participant participant{
      sizeof(px_participant),
      PX_PHASE_AUDIT,
      sdk::to_wire("audit.append"),
      this,
      &Port::flush,
      [](void*, void* item) noexcept { delete static_cast<Row*>(item); }};
  auto id = parts_.store->store().participate(participant);
  if (!id.ok()) {
    return id.error();
  }
  participant_ = *id;
  return {};
}

px_status Port::stage(void* self, px_tx* tx, const px_audit_entry* entry, px_error* err) noexcept {
  return sdk::guard(err, [&]() -> Status {
    if (tx == nullptr || entry == nullptr) {
      return Error{Code::invalid_argument, "invalid_entry", "There is nothing to stage."};
    }
    return static_cast<Port*>(self)->stage(tx, *entry);
  });
}

Status Port::stage(px_tx* tx, const px_audit_entry& wire) {
  const auto entry = copy_entry(wire, parts_.clock.now());
  if (!entry.ok()) {
    return entry.error();
  }
  if (entry.value().chain == PX_CHAIN_RESOLVE) {
    return Error{Code::invalid_argument, "invalid_entry",
                 "A change names its chain: PX_CHAIN_RESOLVE is for decisions."};
  }
  const auto chains = parts_.resolvers->known_chains(entry.value());
  const sdk::Uuid chain = chains->front();
  auto made = row_in(chain, entry.value(), *parts_.peppers);
  if (!made.ok()) {
    return made.error();
  }
  auto row = std::make_unique<Row>(std::move(*made));
  auto staged = parts_.store->store().borrow(tx).stage(participant_, row.get());
  if (staged.ok()) {
    (void)row.release();  // the transaction's now
  }
  return staged;
}

px_status Port::flush(void* self, px_tx* tx, void* const* items, uint64_t count,
                      px_error* err) noexcept {
  return sdk::guard(err, [&]() -> Status {
    const Parts& parts = static_cast<Port*>(self)->parts_;
    std::vector<const Row*> rows;
    rows.reserve(count);
    for (uint64_t i = 0; i < count; ++i) {
      rows.push_back(static_cast<const Row*>(items[i]));
    }
    PLEXSPHERE_FAILPOINT("append.change_begun");
    auto done = parts.store->append(parts.store->store().borrow(tx), std::move(rows));
    PLEXSPHERE_FAILPOINT("append.change_inserted");
    if (done.ok()) {
      parts.staged_rows.add(static_cast<double>(count));
    }
    return done;
  });
}

void Port::record(void* self, const px_audit_entry* wire, px_audit_done done, void* ctx) noexcept {
  const auto refuse = [&](const Error& error) {
    done(ctx, static_cast<px_status>(error.code), sdk::to_wire(error.reason));
  };
  try {
    const Parts& parts = static_cast<Port*>(self)->parts_;
    if (wire == nullptr) {
      return refuse({Code::invalid_argument, "invalid_entry", "There is nothing to record."});
    }
    auto entry = copy_entry(*wire, parts.clock.now());
    if (!entry.ok()) {
      return refuse(entry.error());
    }
    parts.committer->submit(std::move(*entry), done, ctx);
  } catch (...) {
    done(ctx, PX_UNAVAILABLE, sdk::to_wire("audit_unavailable"));
  }
}

px_status Port::resolve_with(void* self, px_str object_type, px_audit_resolver resolver, void* ctx,
                             px_error* err) noexcept {
  return sdk::guard(err, [&] {
    return static_cast<Port*>(self)->parts_.resolvers->add(sdk::view(object_type), resolver, ctx);
  });
}

}  // namespace plexsphere::audit
