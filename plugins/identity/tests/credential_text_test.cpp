#include "domain/credential_text.hpp"

#include <catch2/catch.hpp>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::identity {
namespace {

TEST_CASE("the published sample of a Node's bearer yields its id and key", "[identity]") {
  const auto text = parse_node_key_text(
      "nsk_dev_AZfA3hERciKDM0REVVVmZgABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f");
  REQUIRE(text);
  CHECK(text->env == "dev");
  const auto payload = sdk::base64url_decode(text->payload);
  REQUIRE(payload);
  REQUIRE(payload->size() == 48);
  CHECK(sdk::Uuid::from_bytes(payload->substr(0, 16))->text() ==
        "0197c0de-1111-7222-8333-444455556666");
  for (std::size_t i = 0; i < 32; ++i) {
    CHECK(static_cast<std::size_t>((*payload)[16 + i]) == i);
  }
}

TEST_CASE("a Node's bearer splits at its first two underscores only", "[identity]") {
  const auto text = parse_node_key_text("nsk_plexd_ab_cd-ef_gh");
  REQUIRE(text);
  CHECK(text->env == "plexd");
  CHECK(text->payload == "ab_cd-ef_gh");
}

TEST_CASE("what is not of a Node bearer's form is refused", "[identity]") {
  // The third is the plain base64 of register's answer.
  const auto bad = GENERATE(as<std::string>{}, "", "nsk_",
                            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "nsk_dev", "nsk_dev_",
                            "nsk__payload", "psk_dev_payload", "NSK_dev_payload");
  CHECK_FALSE(parse_node_key_text(bad));
}

TEST_CASE("an API token falls into environment, id and secret", "[identity]") {
  const auto text = parse_api_token_text("psk_dev_aaaa_bbbb");
  REQUIRE(text);
  CHECK(text->env == "dev");
  CHECK(text->id == "aaaa");
  CHECK(text->secret == "bbbb");
  const auto bad = GENERATE(as<std::string>{}, "", "psk_", "psk_dev", "psk_dev_aaaa", "psk__a_b",
                            "psk_dev__b", "psk_dev_a_", "psk_d3v_a_b", "psb_dev_a_b");
  CHECK_FALSE(parse_api_token_text(bad));
}

TEST_CASE("a public key is 32 bytes and not all zero", "[identity]") {
  CHECK(valid_public_key(std::string(31, '\0') + "\x01"));
  CHECK_FALSE(valid_public_key(std::string(32, '\0')));
  CHECK_FALSE(valid_public_key(std::string(31, 'a')));
  CHECK_FALSE(valid_public_key(std::string(33, 'a')));
  CHECK_FALSE(valid_public_key(""));
}

}  // namespace
}  // namespace plexsphere::identity
