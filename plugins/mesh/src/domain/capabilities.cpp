#include "domain/capabilities.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "domain/heartbeat.hpp"

namespace plexsphere::mesh {
namespace {

bool is_image_digest(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  return text.size() == kPrefix.size() + 64 && text.starts_with(kPrefix) &&
         text.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
}

bool is_valid(const DeclaredHook& hook) {
  return !is_blank(hook.name) && hook.checksum.size() == kChecksumBytes;
}

bool is_valid(const PlexdHook& hook) {
  return !is_blank(hook.name) && is_image_digest(hook.image_digest) && hook.timeout_seconds >= 0;
}

struct ListFaults {
  ManifestFault too_many, invalid, duplicate;
};

template <typename Hook>
std::optional<ManifestFault> judge_hooks(const std::vector<Hook>& hooks, const ListFaults& faults) {
  if (hooks.size() > kMostHooks) {
    return faults.too_many;
  }
  std::set<std::string_view> names;
  bool repeated = false;
  for (const Hook& hook : hooks) {
    if (!is_valid(hook)) {
      return faults.invalid;
    }
    repeated = !names.insert(hook.name).second || repeated;
  }
  return repeated ? std::optional(faults.duplicate) : std::nullopt;
}

}  // namespace

bool is_fingerprint(std::string_view text) {
  constexpr std::string_view kPrefix = "SHA256:";
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (!text.starts_with(kPrefix)) {
    return false;
  }
  text.remove_prefix(kPrefix.size());
  if (text.size() == 44 && text.back() == '=') {
    text.remove_suffix(1);
  }
  // 43 digits hold 258 bits: the last two must be zero.
  return text.size() == 43 && text.find_first_not_of(kAlphabet) == std::string_view::npos &&
         kAlphabet.find(text.back()) % 4 == 0;
}

std::optional<ManifestFault> judge_manifest(const CapabilityManifest& manifest) {
  using Fault = ManifestFault;
  if (is_blank(manifest.binary_version)) {
    return Fault::version_empty;
  }
  if (manifest.binary_checksum.size() != kChecksumBytes) {
    return Fault::checksum_invalid;
  }
  if (!manifest.ssh_host_key_fingerprint.empty() &&
      !is_fingerprint(manifest.ssh_host_key_fingerprint)) {
    return Fault::fingerprint_invalid;
  }
  if (const auto fault = judge_hooks(
          manifest.declared_hooks,
          {Fault::declared_too_many, Fault::declared_invalid, Fault::declared_duplicate})) {
    return fault;
  }
  return judge_hooks(manifest.plexd_hooks,
                     {Fault::plexd_too_many, Fault::plexd_invalid, Fault::plexd_duplicate});
}

}  // namespace plexsphere::mesh
