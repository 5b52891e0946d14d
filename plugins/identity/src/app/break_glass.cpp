#include "app/break_glass.hpp"

namespace plexsphere::identity {
namespace {

constexpr std::int64_t kBatch = 100;

// The token's id is the correlation id: the bootstrap showed it, and its first bits are the time.
sdk::AuditEntry entry_of(const BreakGlassOperator& made) {
  sdk::AuditEntry entry;
  entry.in_platform();
  entry.subject_type = "system";
  entry.subject_id = "plexsphere-bootstrap";
  entry.relation = "operator.create";
  entry.object_type = "user";
  entry.object_id = made.user_id.text();
  entry.caveat_names = {{"break_glass", ""}};
  entry.correlation_id = made.token_id.text();
  return entry;
}

}  // namespace

sdk::Status BreakGlass::tell(const sdk::Uuid& token_id) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto noted = operators_.note(*tx, token_id, clock_.now());
  return noted.ok() ? conclude(*tx, *noted) : sdk::Status(noted.error());
}

sdk::Status BreakGlass::run(const sdk::JobRun& job) const {
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto noted = operators_.note_next(*tx, clock_.now(), kBatch);
  return noted.ok() ? conclude(*tx, *noted) : sdk::Status(noted.error());
}

sdk::Status BreakGlass::conclude(sdk::Transaction& tx,
                                 const std::vector<BreakGlassOperator>& noted) const {
  if (noted.empty()) {
    return {};
  }
  for (const BreakGlassOperator& made : noted) {
    if (auto staged = audit_.stage(tx, entry_of(made)); !staged.ok()) {
      return staged;
    }
  }
  if (auto committed = tx.commit(); !committed.ok()) {
    return committed;
  }
  for (const BreakGlassOperator& made : noted) {
    log_.warn("break_glass_operator", {{"user_id", made.user_id.text()},
                                       {"token_id", made.token_id.text()},
                                       {"made_at", sdk::rfc3339(made.made_at)}});
  }
  return {};
}

}  // namespace plexsphere::identity
