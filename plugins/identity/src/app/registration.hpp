// Registration: a bootstrap token and a public key become a Node with an address and a secret key.
//
// Order: public key → proof of the token (tag, look-up, Argon2id; nothing is consumed) → the
// token's state → Resource → a new Node secret key, sealed → one transaction: token consumed →
// signing key → address → Node and secret key → peers, event and audit rows.
// Whatever fails before the commit leaves the token as it was. The same token, key and nonce again,
// soon, before the first use of the secret key, is the replay of a lost answer.
//
// Thread safety: any thread, after configure. A registration holds no host worker: it waits on the
// lanes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/call_context.hpp"
#include "app/lanes.hpp"
#include "app/password_hash.hpp"
#include "app/secret_text.hpp"
#include "app/tag_keys.hpp"
#include "app/token_codec.hpp"
#include "plexsphere/sdk/outbox.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/ports/ipam.hpp"
#include "plexsphere/sdk/ports/peers.hpp"
#include "plexsphere/sdk/ports/signing.hpp"
#include "plexsphere/sdk/ports/tenancy.hpp"
#include "plexsphere/sdk/seal.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/node_store.hpp"
#include "store/token_store.hpp"

namespace plexsphere::identity {

// What an agent asks for; bounds of the fields are checked already, their meaning is not.
struct RegisterCommand {
  sdk::Uuid project_id;
  std::string resource_handle;
  std::string requested_resource_id;  // empty: none
  SecretText bootstrap_token;
  std::string nonce;
  std::string public_key;  // base64, as sent
  CallContext call;
};

struct Registered {
  sdk::Uuid node_id;
  std::string mesh_ip;
  sdk::PublicKey signing_key;
  SecretText nsk;  // 32 raw bytes
  std::vector<sdk::Peer> peers;
  std::string mesh_cidr;
};

// Everything registration leans on; views and copies of handles, all outlive it.
struct RegistrationPorts {
  sdk::Store store;
  sdk::Outbox outbox;
  sdk::Seal seal;
  sdk::Clock clock;
  sdk::Log log;
  sdk::Audit audit;
  sdk::Authz authz;
  sdk::Tenancy tenancy;
  sdk::Signing signing;
  sdk::Ipam ipam;
  sdk::Peers peers;
};

// How registrations with a well-formed key ended.
struct RegistrationOutcomes {
  sdk::Metric enrolled;
  sdk::Metric refused;
  sdk::Metric failed;
};

class Registration {
 public:
  // Refusals carry the contract's code as their reason.
  using Done = std::function<void(sdk::Result<Registered>)>;

  Registration(RegistrationPorts ports, const TokenStore& tokens, const NodeStore& nodes,
               const TokenCodec& codec, TagKeys& tag_keys, Lanes& lanes,
               RegistrationOutcomes outcomes)
      : ports_(std::move(ports)),
        tokens_(tokens),
        nodes_(nodes),
        codec_(codec),
        tag_keys_(tag_keys),
        lanes_(lanes),
        outcomes_(outcomes) {}

  // Calls `done` exactly once, from any thread, perhaps before it returns.
  void submit(RegisterCommand command, Done done) const;

 private:
  // One registration on its way through the lanes; owned by the one step that is queued or running.
  struct Attempt;
  using AttemptPtr = std::shared_ptr<Attempt>;
  // A Node secret key before it is anybody's.
  struct NewKey;
  // The Domain's, from the core's own projection; or why there is none.
  using SigningKey = sdk::Result<sdk::PublicKey>;

  sdk::Status open_token(Attempt& attempt) const;
  void prove(const AttemptPtr& attempt) const;
  void change(const AttemptPtr& attempt) const;
  void finish(const AttemptPtr& attempt, sdk::Result<Registered> outcome) const;
  void deny(const AttemptPtr& attempt, sdk::Error error) const;

  sdk::Result<Registered> enrol(Attempt& attempt) const;
  sdk::Result<sdk::Placement> resolve(const Attempt& attempt) const;
  SigningKey signing_key_of(const sdk::Uuid& domain_id) const;
  sdk::Result<NewKey> make_key(const sdk::Uuid& domain_id, const sdk::Uuid& node_id) const;
  sdk::Result<Registered> enrol_in_tx(Attempt& attempt, const sdk::Placement& found,
                                      const SigningKey& signing_key, NewKey key,
                                      const sdk::Uuid& node_id) const;
  sdk::Status consume(const sdk::Transaction& tx, const Attempt& attempt, const sdk::Uuid& node_id,
                      sdk::Instant now) const;
  sdk::Status tell(const sdk::Transaction& tx, const Attempt& attempt, const NodeRecord& node,
                   std::int64_t generation) const;

  // Reads the peers, stages event and audit rows, commits.
  sdk::Result<std::vector<sdk::Peer>> conclude(sdk::Transaction& tx, const Attempt& attempt,
                                               const NodeRecord& node,
                                               std::int64_t generation) const;

  sdk::Result<Registered> overtaken(Attempt& attempt) const;
  bool may_replay(const Attempt& attempt) const;
  sdk::Result<Registered> replay(Attempt& attempt) const;
  sdk::Result<Registered> replay_in_tx(sdk::Transaction& tx, Attempt& attempt,
                                       const SigningKey& signing_key, NewKey key) const;

  RegistrationPorts ports_;
  const TokenStore& tokens_;
  const NodeStore& nodes_;
  const TokenCodec& codec_;
  TagKeys& tag_keys_;
  Lanes& lanes_;
  RegistrationOutcomes outcomes_;
};

}  // namespace plexsphere::identity
