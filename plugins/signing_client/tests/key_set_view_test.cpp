#include "domain/key_set_view.hpp"

#include <catch2/catch.hpp>

#include "samples.hpp"

namespace plexsphere::signing_client {
namespace {

using testing::head;
using testing::hex_of;
using testing::key_line;
using testing::kScope;

TEST_CASE("a key set is read in full", "[signing_client]") {
  const auto set = parse_key_set(head(kScope, 3) + "rotation k2 k3 1767225600 1767830400\n" +
                                 key_line("k1", "retired") + key_line("k2", "rotating") +
                                 key_line("k3", "active"));
  REQUIRE(set);
  CHECK(set->scope == kScope);
  CHECK(set->number == 3);
  REQUIRE(set->keys.size() == 3);
  CHECK(set->keys[0].state == KeyState::kRetired);
  CHECK(set->keys[1].state == KeyState::kRotating);
  CHECK(set->active().key_id == "k3");
  CHECK(set->active().public_key(Purpose::kEvents) == std::string(32, '\x11'));
  CHECK(set->active().public_key(Purpose::kCheckpoints) == std::string(32, '\x22'));
  REQUIRE(set->rotation);
  CHECK(set->rotation->old_key_id == "k2");
  CHECK(set->rotation->new_key_id == "k3");
  CHECK(set->rotation->closes_at == 1767830400);
}

TEST_CASE("what is not a whole key set is nothing", "[signing_client]") {
  const std::string active = key_line("k1", "active");
  const std::string rotation = "rotation k1 k2 1 2\n";
  const std::string scope = "scope " + kScope + "\n";
  const std::string title = "plexsphere-key-set v1\n";
  const std::string documents[] = {
      "",
      "plexsphere-key-set v2\n" + scope + "number 1\n" + active,
      title,
      title + scope,
      title + "number 1\n" + scope + active,
      title + scope + "number\n" + active,
      head(kScope, 0) + active,
      head(kScope, -1) + active,
      title + scope + "number 1x\n" + active,
      title + scope + "number 99999999999999999999\n" + active,
      head(),
      head() + key_line("k1", "retired"),
      head() + active + key_line("k2", "active"),
      head() + key_line("k1", "pending"),
      head() + active + rotation,
      head() + rotation + rotation + active,
      head() + "rotation k1 k2 1\n" + active,
      head() + "rotation k1 k2 1 soon\n" + active,
      head() + "note hello\n" + active,
      head() + "\n" + active,
      head() + "key k1 active 1 0 " + hex_of('1') + "\n",
      head() + "key k1 active 1 0 " + hex_of('g') + " " + hex_of('2') + "\n",
      head() + "key k1 active 1 0 " + hex_of('1').substr(1) + " " + hex_of('2') + "\n",
      head() + "key k1 active 1 0 " + hex_of('1') + "1 " + hex_of('2') + "\n",
      head() + "key  k1 active 1 0 " + hex_of('1') + " " + hex_of('2') + "\n",
  };
  for (const std::string& document : documents) {
    CAPTURE(document);
    CHECK_FALSE(parse_key_set(document));
  }
}

TEST_CASE("a document of more than 64 KiB is not read", "[signing_client]") {
  std::string document = head() + key_line("k0", "active");
  while (document.size() <= 64 * 1024) {
    document += key_line("k" + std::to_string(document.size()), "retired");
  }
  CHECK_FALSE(parse_key_set(document));
  document.resize(document.rfind("key "));
  CHECK(document.size() <= 64 * 1024);
  CHECK(parse_key_set(document));
}

TEST_CASE("nonsense is not taken for a scope", "[signing_client]") {
  CHECK(looks_like_scope("platform"));
  CHECK(looks_like_scope(kScope));
  for (const char* text : {"", "domain:", "domain:x", "Platform", "platform ", "node:1"}) {
    CAPTURE(text);
    CHECK_FALSE(looks_like_scope(text));
  }
  CHECK_FALSE(looks_like_scope(kScope + "0"));
}

}  // namespace
}  // namespace plexsphere::signing_client
