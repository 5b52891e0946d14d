#include "domain/bootstrap_token.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::identity {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kNow{std::chrono::hours(500'000)};
const std::string kProject = "0197c0de-1111-7222-8333-444455556666";
const std::string kRandom(84, 'a');

std::string token(const std::string& env, const std::string& project, const std::string& kind,
                  const std::string& random) {
  return "psb_" + env + "_" + project + "_" + kind + "_" + random;
}

TEST_CASE("a token's text falls into its segments", "[identity]") {
  const std::string text = token("prod", "abcdefghijklmnopqrstuvwxyz", "bridge", kRandom);
  const auto parsed = parse_token_text(text);
  REQUIRE(parsed);
  CHECK(parsed->env == "prod");
  CHECK(parsed->project == "abcdefghijklmnopqrstuvwxyz");
  CHECK(parsed->kind == TokenKind::bridge);
  CHECK(parsed->random == kRandom);
}

TEST_CASE("text that is not a token's form does not parse", "[identity]") {
  const auto bad = GENERATE(
      as<std::string>{}, "", "psb_", "psb_dev", "psk_dev_aaaa_node_" + kRandom,
      token("", "aaaa", "node", kRandom), token("DEV", "aaaa", "node", kRandom),
      token("dev", "", "node", kRandom), token("dev", "aa1a", "node", kRandom),
      token("dev", "aaaa", "vm", kRandom), token("dev", "aaaa", "node", ""),
      token("dev", "aaaa", "node", std::string(19, 'a')),
      token("dev", "aaaa", "node", kRandom + "_x"), token("dev", "aaaa", "node", kRandom + "="),
      token("dev", "aaaa", "node", std::string(600, 'a')));
  CHECK_FALSE(parse_token_text(bad));
}

TEST_CASE("an environment prefix is 1 to 32 letters", "[identity]") {
  CHECK(valid_env_prefix("a"));
  CHECK(valid_env_prefix(std::string(32, 'z')));
  CHECK_FALSE(valid_env_prefix(""));
  CHECK_FALSE(valid_env_prefix(std::string(33, 'z')));
  CHECK_FALSE(valid_env_prefix("dev1"));
  CHECK_FALSE(valid_env_prefix("dev_a"));
}

TEST_CASE("only a bridge token fits a bridge, and it fits nothing else", "[identity]") {
  CHECK(kind_fits(TokenKind::bridge, "bridge"));
  CHECK_FALSE(kind_fits(TokenKind::bridge, "vm"));
  CHECK(kind_fits(TokenKind::node, "vm"));
  CHECK(kind_fits(TokenKind::node, "worker"));
  CHECK_FALSE(kind_fits(TokenKind::node, "bridge"));
}

TEST_CASE("refusals come in the order revoked, consumed, expired, project", "[identity]") {
  TokenFacts facts{"other", kNow - seconds(1), true, true};
  CHECK(refusal(facts, kProject, kNow) == "token_revoked");
  facts.revoked = false;
  CHECK(refusal(facts, kProject, kNow) == "token_consumed");
  facts.consumed = false;
  CHECK(refusal(facts, kProject, kNow) == "token_expired");
  facts.expires_at = kNow + seconds(1);
  CHECK(refusal(facts, kProject, kNow) == "project_mismatch");
  facts.project_id = kProject;
  CHECK_FALSE(refusal(facts, kProject, kNow));
}

TEST_CASE("a token is worth nothing from its expiry on", "[identity]") {
  const TokenFacts facts{kProject, kNow, false, false};
  CHECK(refusal(facts, kProject, kNow) == "token_expired");
  CHECK_FALSE(refusal(facts, kProject, kNow - std::chrono::microseconds(1)));
}

TEST_CASE("a token that ended stays what it became when its time is over", "[identity]") {
  TokenFacts facts{kProject, kNow, false, false};
  CHECK(state_of(facts, kNow - seconds(1)) == "live");
  CHECK(state_of(facts, kNow) == "expired");
  facts.consumed = true;
  CHECK(state_of(facts, kNow - seconds(1)) == "consumed");
  CHECK(state_of(facts, kNow + seconds(1)) == "consumed");
  facts = {kProject, kNow, true, false};
  CHECK(state_of(facts, kNow + seconds(1)) == "revoked");
}

TEST_CASE("a lost answer may be fetched again within its bounds only", "[identity]") {
  const ReplayFacts good{true, true, false, 0, kNow};
  CHECK(replay_allowed(good, kNow));
  CHECK(replay_allowed(good, kNow + minutes(5) - seconds(1)));
  CHECK_FALSE(replay_allowed(good, kNow + minutes(5)));

  ReplayFacts bad = good;
  bad.same_nonce = false;
  CHECK_FALSE(replay_allowed(bad, kNow));
  bad = good;
  bad.same_public_key = false;
  CHECK_FALSE(replay_allowed(bad, kNow));
  bad = good;
  bad.key_used = true;
  CHECK_FALSE(replay_allowed(bad, kNow));
  bad = good;
  bad.replays = kMaxReplays - 1;
  CHECK(replay_allowed(bad, kNow));
  bad.replays = kMaxReplays;
  CHECK_FALSE(replay_allowed(bad, kNow));
}

}  // namespace
}  // namespace plexsphere::identity
