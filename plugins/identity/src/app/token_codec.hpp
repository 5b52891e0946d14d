// Bootstrap tokens in their text form, and the proof that one was made here.
//
// psb_<env>_<base32 of the Project's 16 bytes>_<kind>_<random>, all base32 lower case, unpadded.
// The random part is the base32 of
//   selector (10 bytes, public, the index) ‖ tag (10 bytes) ‖ secret (32 bytes)
// and the tag is the front of BLAKE2b (RFC 7693) keyed with a key that is not in the database, over
// env, Project, kind, selector and secret. So a guess costs the server one keyed hash: no look-up,
// no Argon2id.
//
// Thread safety: immutable, any thread. Owns its keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/secret_text.hpp"
#include "domain/bootstrap_token.hpp"
#include "plexsphere/sdk/secret.hpp"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::identity {

struct MintedToken {
  SecretText plaintext;
  std::string selector;  // 10 bytes
};

struct PresentedToken {
  sdk::Uuid project_id;
  TokenKind kind = TokenKind::node;
  std::string selector;
  bool by_previous_key = false;
};

class TokenCodec {
 public:
  // 32-byte keys. Tags of the next one are taken, so that replicas can be moved to it one by one.
  TokenCodec(sdk::Secret current, std::optional<sdk::Secret> previous,
             std::optional<sdk::Secret> next = std::nullopt)
      : current_(std::move(current)), previous_(std::move(previous)), next_(std::move(next)) {}

  // Requires valid_env_prefix(env).
  MintedToken mint(std::string_view env, const sdk::Uuid& project_id, TokenKind kind) const;

  // INVALID_ARGUMENT "bootstrap_token_invalid": not of a token's form. PERMISSION_DENIED
  // "token_invalid": of the form, but never issued here.
  sdk::Result<PresentedToken> open(std::string_view plaintext) const;

 private:
  sdk::Secret current_;
  std::optional<sdk::Secret> previous_;
  std::optional<sdk::Secret> next_;
};

}  // namespace plexsphere::identity
