// The tables of Nodes and of their secret keys (wrapped, and as digests).
// Thread safety: declare at configure, then any thread; blocks. Transactions are the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/seal.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

struct NodeRecord {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  sdk::Uuid project_id;
  sdk::Uuid resource_id;
  std::string resource_handle;
  std::string kind;        // the Resource's
  std::string mesh_ip;     // canonical text
  std::string public_key;  // 32 bytes
  sdk::Uuid bootstrap_token_id;
  sdk::Instant registered_at;
};

struct SecretKeyRecord {
  sdk::Uuid id;
  std::int64_t generation = 1;
  std::string digest;  // sha256 of the key
  sdk::Sealed wrapped;
  std::int32_t replays = 0;
  sdk::Instant created_at;
};

// A Node and its live key, the key's row locked.
struct LockedNode {
  NodeRecord node;
  bool deregistered = false;
  sdk::Uuid key_id;
  std::int64_t generation = 0;
  std::int32_t replays = 0;
  bool key_used = false;
};

// A Node whose row is locked against other changes of it.
struct HeldNode {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  sdk::Uuid project_id;
  sdk::Uuid resource_id;
  std::string kind;  // the Resource's
  bool deregistered = false;
};

// One key of a Node, as authentication sees it.
struct KeyCandidate {
  sdk::Uuid key_id;
  std::int64_t generation = 0;
  std::string digest;
  bool revoked = false;
  bool used = false;
  sdk::Uuid domain_id;
};

struct NodeListing {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  std::string name;
  std::string kind;
  sdk::Instant created_at;
};

struct NodeLocation {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  sdk::Uuid project_id;
  sdk::Uuid resource_id;
  bool deregistered = false;
};

class NodeStore {
 public:
  sdk::Status declare(const sdk::Store& store);

  // The Node and its first key, in one statement.
  sdk::Status insert(const sdk::Transaction& tx, const NodeRecord& node,
                     const SecretKeyRecord& key) const;
  // Waits for whoever changes the Node. NOT_FOUND "node_not_found".
  sdk::Result<HeldNode> hold(const sdk::Transaction& tx, const sdk::Uuid& node_id) const;
  // Under hold(). The generation of the key that was live; zero when there was none.
  sdk::Result<std::int64_t> revoke_live_key(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                                            sdk::Instant now) const;
  // Under hold().
  sdk::Status deregister(const sdk::Transaction& tx, const sdk::Uuid& node_id,
                         sdk::Instant now) const;
  // Holds the Node, then its live key. NOT_FOUND when there is none.
  sdk::Result<LockedNode> lock(const sdk::Transaction& tx, const sdk::Uuid& node_id) const;
  // Revokes the key that lock() showed and puts `next` in its place.
  sdk::Status replace_key(const sdk::Transaction& tx, const LockedNode& node,
                          const SecretKeyRecord& next) const;

  // Every key the Node ever had, newest first; empty for an unknown Node.
  sdk::Result<std::vector<KeyCandidate>> keys_of(const sdk::Uuid& node_id) const;
  // Records, in a transaction of its own, that the key was used for the first time. False when it
  // was revoked or used before.
  sdk::Result<bool> mark_used(const sdk::Uuid& key_id, sdk::Instant now) const;

  // NOT_FOUND "node_not_found".
  sdk::Result<NodeLocation> find(const sdk::Uuid& node_id) const;
  // Nodes that are not deregistered, by ascending id after `after`, of all Domains or of one.
  sdk::Result<std::vector<NodeListing>> page(const std::optional<sdk::Uuid>& domain_id,
                                             const sdk::Uuid& after, std::int64_t limit) const;

 private:
  sdk::Store store_;
  sdk::Statement hold_, revoke_live_, deregister_;
  sdk::Statement insert_, lock_, revoke_key_, insert_key_, keys_, mark_used_, find_, page_,
      page_domain_;
};

}  // namespace plexsphere::identity
