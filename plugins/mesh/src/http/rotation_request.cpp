#include "http/rotation_request.hpp"

#include "domain/key_rotation.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::mesh {
namespace {

sdk::Error malformed(std::string detail) {
  return {sdk::Code::invalid_argument, "malformed_keys_rotate_request", std::move(detail)};
}

}  // namespace

sdk::Result<std::string> read_new_key(std::string_view text) {
  const auto json = sdk::parse_json(text);
  if (!json.ok()) {
    return malformed(json.error().detail);
  }
  sdk::BodyReader body(*json);
  const std::string encoded = body.text("new_public_key", 0, kKeysRotateBodyLimit);
  if (const auto fault = body.fault()) {
    return malformed("The request is refused: " + *fault + ".");
  }
  auto key = sdk::base64_decode(encoded);
  if (!key || !valid_mesh_key(*key)) {
    return sdk::Error{sdk::Code::invalid_argument, "keys_rotate_public_key_invalid",
                      "\"new_public_key\" must be the base64 of an X25519 public key: 32 bytes, "
                      "not all zero."};
  }
  return std::move(*key);
}

}  // namespace plexsphere::mesh
