// The deployment's root key: 32 random bytes in a file or a systemd credential, never in the
// database.
//
// Thread safety: immutable after load; derive from any thread. Ownership: owns its bytes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "host/base/result.hpp"
#include "host/seal/secret_bytes.hpp"

namespace plexsphere::host::seal {

inline constexpr std::size_t kKeyBytes = 32;

struct RootKeySource {
  std::string file;        // [seal] root_key_file
  std::string credential;  // [seal] root_key_credential: a name in $CREDENTIALS_DIRECTORY
};

class RootKey {
 public:
  // Errors, each with what to do: none or both sources named; not a regular file; not owned by this
  // process's user; readable or writable by anybody else; not exactly 32 bytes; all bytes equal.
  static Result<RootKey> load(const RootKeySource& source);
  // The same checks without keeping the key, for --check-config.
  static Status check(const RootKeySource& source);

  explicit RootKey(SecretBytes bytes);

  // Sixteen hexadecimal digits derived from the key, to tell keys apart without naming them.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_.span(); }
  // HKDF-SHA256 (RFC 5869), no salt, info = `info`; 32 bytes.
  [[nodiscard]] SecretBytes derive(std::string_view info) const;

 private:
  SecretBytes bytes_;
  std::string id_;
};

}  // namespace plexsphere::host::seal
