// GET /v1/projects/{project_id}/capabilities: what the Nodes of a Project last said they can do.
#pragma once

#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/capability_store.hpp"

namespace plexsphere::mesh {

// Thread safety: any thread; the handler blocks on the database.
class CapabilityList {
 public:
  // Keeps a reference: `capabilities` outlives it.
  CapabilityList(const CapabilityStore& capabilities, sdk::Authz authz, sdk::Audit audit,
                 sdk::Log log)
      : capabilities_(capabilities), authz_(authz), audit_(audit), log_(log) {}
  CapabilityList(const CapabilityList&) = delete;
  CapabilityList& operator=(const CapabilityList&) = delete;

  // [init] The handler keeps this object.
  sdk::Status add(const sdk::Router& router, sdk::CursorCodec cursors);

 private:
  struct Query {
    sdk::Uuid project_id;
    std::optional<sdk::Uuid> node_id;
    std::optional<std::string> status;
    std::int64_t limit = 50;
    sdk::Uuid after;
    sdk::Reference caller;
    std::string list;   // the cursor's scope
    std::string owner;  // the caller, whom the cursor is bound to
  };

  std::variant<Query, sdk::Problem> read_query(const sdk::Request& request) const;
  sdk::Answer page(const Query& query) const;
  void answer(const sdk::Request& request, sdk::Responder responder) const;

  const CapabilityStore& capabilities_;
  sdk::Authz authz_;
  sdk::Audit audit_;
  sdk::Log log_;
  sdk::CursorCodec cursors_;
};

}  // namespace plexsphere::mesh
