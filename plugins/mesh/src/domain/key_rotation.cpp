#include "domain/key_rotation.hpp"

#include <algorithm>

namespace plexsphere::mesh {
namespace {

constexpr std::chrono::seconds kAgentPollsEvery{60};  // the agent, when it has no event stream

std::string_view name_of(const SecretReference& secret) {
  return secret.kid.empty() ? std::string_view("none") : std::string_view(secret.kid);
}

}  // namespace

bool valid_mesh_key(std::string_view bytes) {
  return bytes.size() == kMeshKeyBytes &&
         std::ranges::any_of(bytes, [](char c) { return c != '\0'; });
}

RotationVerdict judge_rotation(const RotationFacts& facts, std::string_view new_key) {
  const bool is_current = facts.current_key == new_key;
  if (facts.pending_rotation) {
    return is_current ? RotationVerdict::key_unchanged : RotationVerdict::complete;
  }
  const bool is_retry =
      is_current && facts.last_completed && facts.last_completed->public_key == new_key;
  return is_retry ? RotationVerdict::repeat_receipt : RotationVerdict::no_pending;
}

std::string edge_kid(std::string_view node, const SecretReference& secret,
                     std::string_view other_node, const SecretReference& other_secret) {
  const bool first = node < other_node;
  std::string out(name_of(first ? secret : other_secret));
  out.append(".").append(name_of(first ? other_secret : secret));
  return out;
}

std::int64_t edge_wrap_key_version(const SecretReference& secret, const SecretReference& other) {
  return std::min(secret.wrap_key_version, other.wrap_key_version);
}

std::chrono::seconds estimate_rotation(std::chrono::milliseconds heartbeat_interval,
                                       std::size_t peers) {
  const auto heard = std::chrono::ceil<std::chrono::seconds>(heartbeat_interval);
  return peers == 0 ? heard : heard + kAgentPollsEvery;
}

}  // namespace plexsphere::mesh
