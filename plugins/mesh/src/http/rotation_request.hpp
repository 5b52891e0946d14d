// The body of POST /v1/keys/rotate, read strictly. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

#include "plexsphere/sdk/status.hpp"

namespace plexsphere::mesh {

// Bytes; 413 above it.
inline constexpr std::uint64_t kKeysRotateBodyLimit = 4096;

// The new key, raw. INVALID_ARGUMENT "malformed_keys_rotate_request" for anything but one member
// that is a string; "keys_rotate_public_key_invalid" when it is not base64 of a key.
sdk::Result<std::string> read_new_key(std::string_view body);

}  // namespace plexsphere::mesh
