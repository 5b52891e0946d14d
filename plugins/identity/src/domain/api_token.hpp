// The rules of API tokens: whom they may belong to, how long they live, and until when a secret
// that was rotated away is taken. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace plexsphere::identity {

inline constexpr std::int64_t kLongestApiTokenSeconds =
    31'536'000;                                         // a year, the contract's ceiling
inline constexpr std::int64_t kMostRetiredSecrets = 5;  // of one token at a time

enum class OwnerKind { user, service };

// Tokens and whoami say "service"; relation tuples and audit rows say "service-identity".
std::string_view owner_text(OwnerKind kind);
std::string_view reference_type(OwnerKind kind);

// "user:<id>" or "service:<id>", taken apart; whether `id` is a UUID is the caller's to find out.
struct IdentityRef {
  OwnerKind kind = OwnerKind::user;
  std::string_view id;
};
std::optional<IdentityRef> parse_identity_ref(std::string_view text);

// dev, stage or prod: what the API takes. Tokens of the bootstrap may carry other letters.
bool api_env_prefix(std::string_view text);

// Until when a secret replaced at `now` is taken: no longer than its token lives, in whole seconds,
// since an HTTP date has no fraction.
using TokenInstant = std::chrono::sys_time<std::chrono::microseconds>;
TokenInstant rotation_deadline(TokenInstant now, std::chrono::milliseconds grace,
                               TokenInstant expires_at);

}  // namespace plexsphere::identity
