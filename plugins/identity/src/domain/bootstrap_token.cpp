#include "domain/bootstrap_token.hpp"

#include <algorithm>

namespace plexsphere::identity {
namespace {

constexpr std::size_t kMaxTextLength = 512;
constexpr std::size_t kMinRandomLength = 20;

bool all_letters(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool all_base32(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); });
}

// Cuts the text up to the next underscore off the front; empty when there is none.
std::string_view take_segment(std::string_view& rest) {
  const std::size_t end = rest.find('_');
  if (end == std::string_view::npos) {
    return {};
  }
  const std::string_view segment = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return segment;
}

}  // namespace

std::string_view text_of(TokenKind kind) {
  return kind == TokenKind::bridge ? "bridge" : "node";
}

std::optional<TokenKind> token_kind(std::string_view text) {
  if (text == "node") {
    return TokenKind::node;
  }
  if (text == "bridge") {
    return TokenKind::bridge;
  }
  return std::nullopt;
}

bool kind_fits(TokenKind token, std::string_view resource_kind) {
  return (token == TokenKind::bridge) == (resource_kind == "bridge");
}

bool valid_env_prefix(std::string_view env) {
  return !env.empty() && env.size() <= kMaxEnvLength && all_letters(env);
}

std::optional<TokenText> parse_token_text(std::string_view text) {
  if (text.size() > kMaxTextLength || !text.starts_with("psb_")) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(4);
  TokenText out;
  out.env = take_segment(rest);
  out.project = take_segment(rest);
  const auto kind = token_kind(take_segment(rest));
  out.random = rest;
  const bool well_formed = !out.env.empty() && all_letters(out.env) && !out.project.empty() &&
                           all_base32(out.project) && kind &&
                           out.random.size() >= kMinRandomLength && all_base32(out.random);
  if (!well_formed) {
    return std::nullopt;
  }
  out.kind = *kind;
  return out;
}

std::string_view state_of(const TokenFacts& token, TimePoint now) {
  if (token.revoked) {
    return "revoked";
  }
  if (token.consumed) {
    return "consumed";
  }
  return token.expires_at <= now ? "expired" : "live";
}

std::optional<std::string_view> refusal(const TokenFacts& token, std::string_view project_id,
                                        TimePoint now) {
  if (token.revoked) {
    return "token_revoked";
  }
  if (token.consumed) {
    return "token_consumed";
  }
  if (token.expires_at <= now) {
    return "token_expired";
  }
  if (token.project_id != project_id) {
    return "project_mismatch";
  }
  return std::nullopt;
}

bool replay_allowed(const ReplayFacts& facts, TimePoint now) {
  return facts.same_nonce && facts.same_public_key && !facts.key_used &&
         facts.replays < kMaxReplays && now < facts.registered_at + kReplayWindow;
}

}  // namespace plexsphere::identity
