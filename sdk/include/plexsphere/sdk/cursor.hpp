// Page cursors and the `limit` parameter of list operations, for plugins that link libsodium; the
// SDK itself includes this header nowhere.
//
//   CursorCodec cursors(std::move(*seal.derive_key("cursor")));          // start
//   auto next = cursors.encode({"domains", caller}, last_slug);
//   auto after = cursors.decode({"domains", caller}, *request.query("cursor"));
//
// Format, base64url without padding (RFC 4648 §5) of:
//   version (1 byte, 1) ‖ binding tag (16) ‖ payload (1..512) ‖ HMAC-SHA-256 (32; RFC 2104)
// The binding tag is the first half of HMAC(key, "binding" ‖ list ‖ owner); the last 32 bytes
// authenticate list, version, binding tag and payload. So a forged or foreign list's cursor is told
// apart from a genuine one in another caller's hands, and neither caller nor list can be read from
// it. The payload is visible to whoever decodes base64: put sort keys in it, never secrets.
//
// Thread safety: immutable after construction, any thread. Owns its key.
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/secret.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

// What a cursor is good for. `list` names the operation and its filters ("projects/<domain id>"): a
// cursor of another one is invalid_cursor. `owner` is the caller ("user:<uuid>"), or empty where
// the contract binds to no caller; in another's hands it is cursor_binding_mismatch. A chain-bound
// cursor puts its chain into `list`.
struct CursorScope {
  std::string_view list;
  std::string_view owner = {};
};

class CursorCodec {
 public:
  static constexpr std::size_t kMostPayload = 512;  // bytes

  // An unusable codec: every decode fails, encode yields nothing.
  CursorCodec() = default;
  // `key` is 32 bytes, from px.seal's derive_key("cursor").
  explicit CursorCodec(Secret key) : key_(std::move(key)) {}

  // Empty when the payload is empty or too long, or the codec has no key.
  std::string encode(const CursorScope& scope, std::string_view payload) const {
    if (!usable() || payload.empty() || payload.size() > kMostPayload) {
      return {};
    }
    std::string out(1, kVersion);
    out += binding(scope);
    out += payload;
    out += tag(scope, out);
    return base64url_encode(out);
  }

  // The payload. INVALID_ARGUMENT "invalid_cursor": forged, damaged, of another list or version.
  // PERMISSION_DENIED "cursor_binding_mismatch": genuine, but another caller's.
  Result<std::string> decode(const CursorScope& scope, std::string_view cursor) const {
    const auto raw = cursor.size() > kMostText ? std::nullopt : base64url_decode(cursor);
    if (!usable() || !raw || raw->size() <= kOverhead || raw->size() > kOverhead + kMostPayload ||
        raw->front() != kVersion) {
      return invalid();
    }
    const std::string_view all(*raw);
    const std::string_view signed_part = all.substr(0, all.size() - kTag);
    if (!constant_time_equal(tag(scope, signed_part), all.substr(signed_part.size()))) {
      return invalid();
    }
    if (!constant_time_equal(binding(scope), signed_part.substr(1, kBinding))) {
      return Error{Code::permission_denied, "cursor_binding_mismatch",
                   "The cursor was issued to another caller; start the list again without it."};
    }
    return std::string(signed_part.substr(1 + kBinding));
  }

 private:
  static constexpr char kVersion = 1;
  static constexpr std::size_t kBinding = 16;
  static constexpr std::size_t kTag = crypto_auth_hmacsha256_BYTES;
  static constexpr std::size_t kOverhead = 1 + kBinding + kTag;
  static constexpr std::size_t kMostText = (kOverhead + kMostPayload) * 4 / 3 + 4;

  bool usable() const { return key_.bytes().size() == crypto_auth_hmacsha256_KEYBYTES; }

  static Error invalid() {
    return {Code::invalid_argument, "invalid_cursor",
            "The cursor is not one that this list has issued; start again without it."};
  }

  std::string binding(const CursorScope& scope) const {
    return hmac({"binding", scope.list, scope.owner}).substr(0, kBinding);
  }
  std::string tag(const CursorScope& scope, std::string_view body) const {
    return hmac({"cursor", scope.list, body});
  }

  // Every part is preceded by its length, so that no two lists of parts collide.
  std::string hmac(const std::array<std::string_view, 3>& parts) const {
    const std::string_view key = key_.bytes();
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()),
                                key.size());
    for (const std::string_view part : parts) {
      std::array<unsigned char, 8> length{};
      for (std::size_t i = 0; i < length.size(); ++i) {
        length[i] = static_cast<unsigned char>(static_cast<uint64_t>(part.size()) >> (8 * (7 - i)));
      }
      crypto_auth_hmacsha256_update(&state, length.data(), length.size());
      crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(part.data()),
                                    part.size());
    }
    std::string out(kTag, '\0');
    crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
    zero(&state, sizeof state);
    return out;
  }

  Secret key_;
};

// The `limit` query parameter: decimal digits, 1 to 200, 50 when absent. INVALID_ARGUMENT
// "invalid_limit" otherwise; never clamped.
inline Result<int64_t> parse_limit(std::optional<std::string_view> text) {
  if (!text) {
    return int64_t{50};
  }
  int64_t value = 0;
  for (const char c : *text) {
    if (c < '0' || c > '9' || value > 200) {
      value = 0;
      break;
    }
    value = value * 10 + (c - '0');
  }
  if (value < 1 || value > 200 || text->size() > 3) {
    return Error{Code::invalid_argument, "invalid_limit",
                 "\"limit\" must be a whole number from 1 to 200."};
  }
  return value;
}

}  // namespace plexsphere::sdk::inline v1
