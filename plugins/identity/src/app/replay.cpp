// The replay of a registration whose answer got lost: the same Node, a newer secret key.
#include "app/registration_attempt.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::identity {

// The row says consumed by this nonce. Whether key, use, count and time allow it, is decided under
// the lock of the key's row.
bool Registration::may_replay(const Attempt& attempt) const {
  const TokenSecretRecord& token = attempt.token;
  return token.token.consumed_at && !token.consumed_by_node.is_zero() &&
         token.token.project_id == attempt.command.project_id &&
         sdk::constant_time_equal(token.consumed_nonce, attempt.nonce_sha256);
}

sdk::Result<Registered> Registration::replay(Attempt& attempt) const {
  const sdk::Uuid& domain_id = attempt.token.token.domain_id;
  const SigningKey signing_key = signing_key_of(domain_id);
  auto key = make_key(domain_id, attempt.token.consumed_by_node);
  if (!key.ok()) {
    return key.error();
  }
  auto tx = ports_.store.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  auto answer = replay_in_tx(*tx, attempt, signing_key, std::move(*key));
  if (!answer.ok()) {
    return answer.error().reason == "node_not_found" ? token_refusal("token_consumed")
                                                     : translated(answer.error());
  }
  return answer;
}

sdk::Result<Registered> Registration::replay_in_tx(sdk::Transaction& tx, Attempt& attempt,
                                                   const SigningKey& signing_key,
                                                   NewKey key) const {
  auto locked = nodes_.lock(tx, attempt.token.consumed_by_node);
  if (!locked.ok()) {
    return locked.error();
  }
  const NodeRecord& node = locked->node;
  const ReplayFacts facts{true, node.public_key == attempt.public_key,
                          locked->key_used || locked->deregistered, locked->replays,
                          node.registered_at};
  if (!replay_allowed(facts, key.record.created_at)) {
    return token_refusal("token_consumed");
  }
  if (!signing_key.ok()) {
    return signing_away();
  }
  auto pinned = ports_.tenancy.pin_resource(tx, node.resource_id);
  if (!pinned.ok()) {
    return pinned.error();
  }
  key.record.generation = locked->generation + 1;
  key.record.replays = locked->replays + 1;
  if (auto replaced = nodes_.replace_key(tx, *locked, key.record); !replaced.ok()) {
    return replaced.error();
  }
  PLEXSPHERE_FAILPOINT("replay.nsk");
  auto peers = conclude(tx, attempt, node, key.record.generation);
  if (!peers.ok()) {
    return peers.error();
  }
  return Registered{
      node.id,           node.mesh_ip,     signing_key.value(), std::move(key.plaintext),
      std::move(*peers), pinned->mesh_cidr};
}

}  // namespace plexsphere::identity
