// The rules of a bootstrap token: its kinds, bounds, text form and ends.
//
// Issued → consumed | revoked | expired; each end is final. A token's text is
// psb_<env>_<project>_<kind>_<random>; what the random part holds is the codec's business.
// Pure values and functions; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::identity {

using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;

enum class TokenKind { node, bridge };

std::string_view text_of(TokenKind kind);
std::optional<TokenKind> token_kind(std::string_view text);

// A bridge token enrols Resources of kind "bridge" only, a node token all others.
bool kind_fits(TokenKind token, std::string_view resource_kind);

inline constexpr std::int64_t kMinTtlSeconds = 300;
inline constexpr std::int64_t kMaxTtlSeconds = 86'400;
inline constexpr std::size_t kMaxEnvLength = 32;

// 1..32 letters a..z.
bool valid_env_prefix(std::string_view env);

// The segments of a token's text, as views of it.
struct TokenText {
  std::string_view env;
  std::string_view project;  // [a-z2-7]+
  TokenKind kind = TokenKind::node;
  std::string_view random;  // [a-z2-7]{20,}
};

// ^psb_[a-z]+_[a-z2-7]+_(node|bridge)_[a-z2-7]{20,}$, at most 512 bytes as agents have it.
std::optional<TokenText> parse_token_text(std::string_view text);

// What decides whether a proven token may be consumed.
struct TokenFacts {
  std::string project_id;  // any one spelling; compared for equality
  TimePoint expires_at;
  bool revoked = false;
  bool consumed = false;
};

// live, consumed, revoked or expired. How a token ended outlasts its time.
std::string_view state_of(const TokenFacts& token, TimePoint now);

// Why a proven token is refused, as the contract's code: token_revoked, token_consumed,
// token_expired, project_mismatch, in this order. Kind comes later, when the Resource is known.
std::optional<std::string_view> refusal(const TokenFacts& token, std::string_view project_id,
                                        TimePoint now);

// The answer to a registration may get lost. The same token, key and nonce may then fetch a new
// secret key, as long as none has been used.
inline constexpr std::int32_t kMaxReplays = 5;
inline constexpr std::chrono::minutes kReplayWindow{5};

struct ReplayFacts {
  bool same_nonce = false;
  bool same_public_key = false;
  bool key_used = false;
  std::int32_t replays = 0;
  TimePoint registered_at;
};

bool replay_allowed(const ReplayFacts& facts, TimePoint now);

}  // namespace plexsphere::identity
