// px.audit/1 as other contexts and the host call it.
//
// Staging prepares the row at once, so that what is wrong shows to whoever is to blame, and writes
// it just before the caller's COMMIT, all rows of the transaction in one call.
//
// Thread safety: as px_audit says. Must outlive every plugin that uses the table.
#pragma once

#include <memory>

#include "app/committer.hpp"
#include "app/peppers.hpp"
#include "app/resolvers.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

class Port {
 public:
  struct Parts {
    sdk::Clock clock;
    sdk::Metric staged_rows;
    AuditStore* store;
    Peppers* peppers;
    Resolvers* resolvers;
    Committer* committer;
  };

  explicit Port(const Parts& parts);
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // [init] Joins the phase in which staged rows are written.
  sdk::Status join();
  const px_table* table() const { return &table_.base; }

 private:
  static px_status stage(void* self, px_tx* tx, const px_audit_entry* entry,
                         px_error* err) noexcept;
  static void record(void* self, const px_audit_entry* entry, px_audit_done done,
                     void* ctx) noexcept;
  static px_status resolve_with(void* self, px_str object_type, px_audit_resolver resolver,
                                void* ctx, px_error* err) noexcept;
  static px_status flush(void* self, px_tx* tx, void* const* items, uint64_t count,
                         px_error* err) noexcept;

  sdk::Status stage(px_tx* tx, const px_audit_entry& entry);

  Parts parts_;
  px_audit table_;
  uint32_t participant_ = 0;
};

}  // namespace plexsphere::audit
