// What px.audit, the platform's chain, accepts and what it must not. Each ATTEMPT_… is compiled by
// itself and has to fail; without one, the file has to compile.
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

#ifdef ATTEMPT_STAGE_NODE_RECORD
sdk::Status attempt(const sdk::Audit& audit, const sdk::Transaction& tx) {
  return audit.stage(tx, NodeAuditRecord{});
}
#endif

#ifdef ATTEMPT_RECORD_NODE_RECORD
void attempt(const sdk::Audit& audit) {
  audit.record(NodeAuditRecord{}, [](const sdk::Status&) {});
}
#endif

#ifdef ATTEMPT_STAGE_RAW_BYTES
sdk::Status attempt(const sdk::Audit& audit, const sdk::Transaction& tx) {
  return audit.stage(tx, std::string("{\"any\":\"document\"}"));
}
#endif

#ifdef ATTEMPT_ASSIGN_NODE_RECORD
sdk::AuditEntry attempt() {
  sdk::AuditEntry entry = NodeAuditRecord{};
  return entry;
}
#endif
