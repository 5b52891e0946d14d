#include "http/manifest_problem.hpp"

namespace plexsphere::mesh {
namespace {

struct Told {
  int status;
  const char* code;
  const char* detail;
};

Told told(ManifestFault fault) {
  switch (fault) {
    case ManifestFault::version_empty:
      return {400, "binary_version_empty", "binary_version must not be blank."};
    case ManifestFault::checksum_invalid:
      return {400, "binary_checksum_invalid",
              "binary_checksum must be the SHA-256 of the agent's binary: 32 bytes in base64."};
    case ManifestFault::fingerprint_invalid:
      return {400, "ssh_host_key_fingerprint_invalid",
              "ssh_host_key_fingerprint must be empty or \"SHA256:\" and the base64 of 32 bytes."};
    case ManifestFault::declared_too_many:
      return {400, "declared_hooks_too_many", "declared_hooks takes at most 128 hooks."};
    case ManifestFault::declared_invalid:
      return {400, "declared_hook_invalid",
              "Each of declared_hooks needs a name that is not blank, and as checksum 32 bytes in "
              "base64."};
    case ManifestFault::declared_duplicate:
      return {400, "declared_hook_duplicate", "Two of declared_hooks have the same name."};
    case ManifestFault::plexd_too_many:
      return {422, "plexd_hooks_too_many", "plexd_hooks takes at most 128 hooks."};
    case ManifestFault::plexd_invalid:
      return {422, "plexd_hook_invalid",
              "Each of plexd_hooks needs a name that is not blank, as image_digest \"sha256:\" and "
              "64 lower-case hex digits, and a timeout_seconds of 0 or more."};
    case ManifestFault::plexd_duplicate:
      break;
  }
  return {422, "plexd_hook_duplicate", "Two of plexd_hooks have the same name."};
}

}  // namespace

sdk::Problem manifest_problem(ManifestFault fault) {
  const auto [status, code, detail] = told(fault);
  return {status, code, detail, {}, {}};
}

}  // namespace plexsphere::mesh
