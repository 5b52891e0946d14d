// What a Node says it can do, and the rules for it. Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace plexsphere::mesh {

inline constexpr std::size_t kMostHooks = 128;  // in each of the two lists

struct DeclaredHook {
  std::string name;
  std::string checksum;  // raw bytes; empty when it was not readable
};

struct PlexdHook {
  std::string name;
  std::string image_digest;  // "sha256:" and 64 lower-case hex digits
  std::map<std::string, std::string> parameters;
  std::int64_t timeout_seconds = 0;
  bool sandbox = false;
};

struct CapabilityManifest {
  std::string binary_version;
  std::string binary_checksum;           // raw bytes; empty when it was not readable
  std::string ssh_host_key_fingerprint;  // empty: none
  std::vector<DeclaredHook> declared_hooks;
  std::vector<PlexdHook> plexd_hooks;
};

enum class ManifestFault {
  version_empty,
  checksum_invalid,
  fingerprint_invalid,
  declared_too_many,
  declared_invalid,
  declared_duplicate,
  plexd_too_many,
  plexd_invalid,
  plexd_duplicate,
};

// The first rule the manifest breaks, in the order of the contract's members, or nothing.
std::optional<ManifestFault> judge_manifest(const CapabilityManifest& manifest);

// As OpenSSH prints it: "SHA256:" and the base64 of 32 bytes, with or without the padding.
bool is_fingerprint(std::string_view text);

}  // namespace plexsphere::mesh
