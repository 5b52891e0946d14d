#include "app/token_codec.hpp"

#include <catch2/catch.hpp>
#include <regex>
#include <set>

#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::identity {
namespace {

// A key as px.seal hands it out, over bytes that outlive it.
sdk::Secret key_of(const std::string& bytes) {
  px_secret wire{};
  wire.bytes = sdk::to_wire_bytes(bytes);
  return sdk::Secret(wire);
}

const std::string kKey(32, 'k');
const std::string kOtherKey(32, 'o');
const auto kProject = *sdk::Uuid::parse("0197c0de-1111-7222-8333-444455556666");

TokenCodec codec() {
  return {key_of(kKey), std::nullopt};
}

// A replica that is still at the key before kOtherKey.
TokenCodec codec_with_next() {
  return {key_of(kKey), std::nullopt, key_of(kOtherKey)};
}

TEST_CASE("a minted token has the contract's form and opens again", "[identity]") {
  const auto minted = codec().mint("dev", kProject, TokenKind::bridge);
  const std::string text(minted.plaintext.view());
  CHECK(std::regex_match(text, std::regex("^psb_[a-z]+_[a-z2-7]+_(node|bridge)_[a-z2-7]{20,}$")));
  CHECK(text.size() <= 512);
  CHECK(text.find("_" + sdk::base32_encode(kProject.bytes()) + "_") != std::string::npos);
  const auto opened = codec().open(text);
  REQUIRE(opened.ok());
  CHECK(opened.value().project_id == kProject);
  CHECK(opened.value().kind == TokenKind::bridge);
  CHECK(opened.value().selector == minted.selector);
}

TEST_CASE("no two tokens share a selector", "[identity]") {
  std::set<std::string> selectors;
  for (int i = 0; i < 100; ++i) {
    selectors.insert(codec().mint("dev", kProject, TokenKind::node).selector);
  }
  CHECK(selectors.size() == 100);
}

TEST_CASE("a token changed in any segment is not one of ours", "[identity]") {
  const auto minted = codec().mint("dev", kProject, TokenKind::node);
  const std::string text(minted.plaintext.view());
  const auto refused = [](const std::string& changed) {
    const auto opened = codec().open(changed);
    return !opened.ok() && opened.error().reason == "token_invalid";
  };
  std::string other_env = text;
  other_env.replace(4, 3, "prd");
  CHECK(refused(other_env));
  std::string other_kind = text;
  other_kind.replace(text.find("_node_"), 6, "_bridge_");
  CHECK(refused(other_kind));
  std::string other_project = text;
  other_project[9] = text[9] == 'a' ? 'b' : 'a';
  CHECK(refused(other_project));
  for (const std::size_t from_end : {84, 60, 40, 10}) {  // selector, tag, secret, secret
    std::string other = text;
    char& c = other[other.size() - from_end];
    c = c == 'a' ? 'b' : 'a';
    CHECK(refused(other));
  }
  CHECK(refused(text + "a"));
  CHECK(
      refused("psb_dev_" + sdk::base32_encode(kProject.bytes()) + "_node_" + std::string(26, 'a')));
}

TEST_CASE("text without a token's form, or with a short Project, is told apart", "[identity]") {
  for (const std::string& bad :
       {std::string("garbage"), "psb_dev_aaaa_node_" + std::string(84, 'a')}) {
    const auto opened = codec().open(bad);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().reason == "bootstrap_token_invalid");
  }
}

TEST_CASE("a token says when the previous key has tagged it, and older keys' tags are none",
          "[identity]") {
  const auto minted = codec().mint("dev", kProject, TokenKind::node);
  const TokenCodec rotated{key_of(kOtherKey), key_of(kKey)};
  const auto opened = rotated.open(minted.plaintext.view());
  REQUIRE(opened.ok());
  CHECK(opened.value().by_previous_key);
  const auto newer = rotated.mint("dev", kProject, TokenKind::node);
  CHECK_FALSE(rotated.open(newer.plaintext.view()).value().by_previous_key);
  CHECK(codec_with_next().open(newer.plaintext.view()).ok());
  const TokenCodec later{key_of(kOtherKey), std::nullopt};
  CHECK_FALSE(later.open(minted.plaintext.view()).ok());
}

}  // namespace
}  // namespace plexsphere::identity
