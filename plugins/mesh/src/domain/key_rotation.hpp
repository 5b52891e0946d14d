// The rules of a mesh key's rotation. Pure functions, any thread.
//
// The mesh key is the Node's X25519 public key that peers program; the Node secret key, its
// credential, is another thing and never changes here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::mesh {

inline constexpr std::size_t kMeshKeyBytes = 32;  // X25519, RFC 7748

// 32 bytes, not all zero.
bool valid_mesh_key(std::string_view bytes);

// Which secret of a Node is live. `kid` is empty and the version 0 before its first one.
struct SecretReference {
  std::string kid;
  std::int64_t wrap_key_version = 0;
};

// A completed rotation, as its Node is told.
struct RotationReceipt {
  std::string rotation_id;
  SecretReference secret;
};

// What is known of a Node when it sends a new key, read under the lock of its row.
struct RotationFacts {
  std::string current_key;  // raw bytes
  std::optional<std::string> pending_rotation;
  struct Completed {
    std::string public_key;  // raw bytes
    RotationReceipt receipt;
  };
  std::optional<Completed> last_completed;
};

enum class RotationVerdict { complete, repeat_receipt, no_pending, key_unchanged };

// While a rotation pends, the key must differ from the current one. While none does, the key that
// completed the last one, and is still the Node's, is a retry after a lost answer.
RotationVerdict judge_rotation(const RotationFacts& facts, std::string_view new_key);

// The name of the secret between two Nodes, the same from either end: both ends' secrets in order
// of node id, so that it changes exactly when one of them rotates. "none" stands for an end without
// a secret.
std::string edge_kid(std::string_view node, const SecretReference& secret,
                     std::string_view other_node, const SecretReference& other_secret);
// Of the two ends' wrap-key versions the older, which is the one that holds a rewrap up.
std::int64_t edge_wrap_key_version(const SecretReference& secret, const SecretReference& other);

// How long until the Node and all its peers have the new key, without an event stream: the Node
// hears of the rotation with its next heartbeat, and peers that poll do so every minute.
std::chrono::seconds estimate_rotation(std::chrono::milliseconds heartbeat_interval,
                                       std::size_t peers);

}  // namespace plexsphere::mesh
