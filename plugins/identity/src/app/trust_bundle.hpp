// The keys that a SPIFFE trust domain signs JWT-SVIDs with, read from a file: the trust domain's
// bundle, a JSON Web Key Set (SPIFFE Trust Domain and Bundle, 4). Whoever runs the trust domain's
// agent keeps the file current; it is read again when it has changed, looked at once every
// `kLookEvery`, and at most once a second for a key id that is not known.
//
// Thread safety: any thread. A file that cannot be read or parsed leaves the keys read before.
#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/services.hpp"
#include "plexsphere/sdk/verify.hpp"

namespace plexsphere::identity {

struct BundleKey {
  std::string id;
  std::string algorithm;  // empty: any of the key's type
  sdk::VerificationKey key;
};

// The jwt-svid keys of a bundle; other uses and unknown key types are passed over. INVALID_ARGUMENT
// "bundle_invalid" for what is no key set, or has more than 256 keys.
sdk::Result<std::vector<BundleKey>> parse_bundle(std::string_view json);

class TrustBundle {
 public:
  static constexpr std::chrono::seconds kLookEvery{30};
  static constexpr std::chrono::seconds kLookForUnknownKey{1};
  static constexpr std::uintmax_t kLargestFile = 1'048'576;

  // An empty path: there is none.
  TrustBundle(std::filesystem::path file, std::string trust_domain, sdk::Clock clock, sdk::Log log)
      : file_(std::move(file)), trust_domain_(std::move(trust_domain)), clock_(clock), log_(log) {}

  bool configured() const { return !file_.empty(); }
  const std::string& trust_domain() const { return trust_domain_; }

  // The key of this id, nothing if the bundle has none. UNAVAILABLE "spiffe_bundle_unreachable"
  // when the file was never readable.
  sdk::Result<std::optional<BundleKey>> key(std::string_view id);

 private:
  void look(std::chrono::nanoseconds now);
  void read();

  const std::filesystem::path file_;
  const std::string trust_domain_;
  const sdk::Clock clock_;
  const sdk::Log log_;
  std::mutex mutex_;  // guards all below
  std::optional<std::vector<BundleKey>> keys_;
  std::optional<std::chrono::nanoseconds> looked_at_;
  std::optional<std::filesystem::file_time_type> written_at_;
};

}  // namespace plexsphere::identity
