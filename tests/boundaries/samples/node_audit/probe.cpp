// What px.audit, the platform's chain, accepts and what it must not. As it stands this compiles;
// with ATTEMPTS defined, every line marked so must be refused by the compiler, and no other line.
#include <string>

#include "plexsphere/sdk/ports/audit.hpp"

namespace sdk = plexsphere::sdk;

// A record as a Node reports it. Its own type, and no conversion leads from it to AuditEntry.
struct NodeAuditRecord {
  std::string node_id;
  std::string source;
  std::string event;
  std::string body;
};

sdk::Status accepted(const sdk::Audit& audit, const sdk::Transaction& tx) {
  return audit.stage(tx, sdk::AuditEntry{});
}

#ifdef ATTEMPTS
sdk::Status stage_node_record(const sdk::Audit& audit, const sdk::Transaction& tx) {
  return audit.stage(tx, NodeAuditRecord{});  // must not compile
}

void record_node_record(const sdk::Audit& audit) {
  audit.record(NodeAuditRecord{}, [](const sdk::Status&) {});  // must not compile
}

sdk::Status stage_raw_bytes(const sdk::Audit& audit, const sdk::Transaction& tx) {
  return audit.stage(tx, std::string("{}"));  // must not compile
}

sdk::AuditEntry convert_node_record() {
  return NodeAuditRecord{};  // must not compile
}
#endif
