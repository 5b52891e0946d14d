// The table of capability manifests.
// Thread safety: declare at configure, then any thread; blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/capabilities.hpp"
#include "domain/reachability.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::mesh {

struct AcceptedManifest {
  Time accepted_at;
  std::vector<std::string> fields_changed;  // the contract's member names, ascending
  bool host_key_changed = false;            // a fingerprint that was on record is not the one now
};

// A line of a Project's list.
struct CapabilityRow {
  sdk::Uuid node_id;
  sdk::Uuid domain_id;
  std::string binary_version;
  std::string binary_checksum;  // base64
  Time reported_at;
};

class CapabilityStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // Requires: the transaction holds the Node as ReportingPeers::hold does. The first manifest is
  // compared with an empty one.
  sdk::Result<AcceptedManifest> put(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                    const CapabilityManifest& manifest) const;
  // Of the Project's live Nodes, or of one of them, after `after`, at most `limit`, by Node id.
  sdk::Result<std::vector<CapabilityRow>> page(const sdk::Uuid& project_id,
                                               const std::optional<sdk::Uuid>& node_id,
                                               const sdk::Uuid& after, std::int64_t limit) const;

 private:
  sdk::Store store_;
  sdk::Statement put_, page_;
};

}  // namespace plexsphere::mesh
