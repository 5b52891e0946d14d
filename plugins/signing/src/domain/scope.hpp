// Who a key belongs to, which scopes a deployment allows, and what a key may be called.
//
// Thread safety: values; the functions are pure.
#pragma once

#include <string>
#include <string_view>

#include "domain/fault.hpp"

namespace plexsphere::signing {

// `platform`, or `domain:<uuid>` with the UUID in lower-case hyphenated form. Anything else is an
// invariant violation, so a Scope that exists is well formed.
class Scope {
 public:
  static Outcome<Scope> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_platform() const { return text_ == "platform"; }
  friend bool operator==(const Scope&, const Scope&) = default;

 private:
  explicit Scope(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// How the installation is deployed; fixed when it is installed.
enum class Profile { kSaas, kSelfhostedSingle, kSelfhostedMulti };

// Reads `saas`, `selfhosted-single` or `selfhosted-multi`.
Outcome<Profile> parse_profile(std::string_view text);

// Refuses scopes the profile does not allow. The cause is a contract string.
Outcome<Done> check_profile(Profile profile, const Scope& scope);

// A key id: 1 to 128 characters of [A-Za-z0-9:#._/-]. The set leaves out everything that a JSON
// string or a URL would have to escape, and the separator used in key derivation.
[[nodiscard]] bool is_key_id(std::string_view text);
inline constexpr std::size_t kMaxKeyIdLength = 128;

}  // namespace plexsphere::signing
