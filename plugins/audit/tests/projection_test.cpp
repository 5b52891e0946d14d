// What lies in the mirror: objects that prove themselves, and what is not taken for one.
#include "app/projection.hpp"

#include <zstd.h>

#include <catch2/catch.hpp>

#include "app/digest.hpp"

namespace plexsphere::audit {
namespace {

const sdk::Uuid kChain = *sdk::Uuid::parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");

ArchivedEntry entry(std::int64_t seq = 1) {
  ArchivedEntry out;
  out.chain = kChain;
  out.seq = seq;
  out.prev_hash = std::string(32, '\0');
  out.canonical_bytes =
      R"({"v":1,"chain":")" + kChain.text() + R"(","seq":)" + std::to_string(seq) + R"(,"x":"ä"})";
  out.entry_hash = entry_hash(out.prev_hash, out.canonical_bytes);
  return out;
}

std::string packed(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

std::string unpacked(const std::string& object) {
  std::string out(4096, '\0');
  out.resize(ZSTD_decompress(out.data(), out.size(), object.data(), object.size()));
  return out;
}

TEST_CASE("a key names chain and number in twenty digits", "[audit]") {
  CHECK(object_key(kChain, 7) ==
        "audit/0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b/00000000000000000007.json.zst");
  CHECK(object_key(kChain, INT64_MAX) ==
        "audit/0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b/09223372036854775807.json.zst");
}

TEST_CASE("an object is JSON of a fixed order, and reads back as the entry", "[audit]") {
  const auto one = entry();
  const std::string object = to_object(one);
  CHECK(unpacked(object) ==
        R"({"v":1,"domain_id":"0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b","seq":1,)"
        R"("prev_hash":"0000000000000000000000000000000000000000000000000000000000000000",)"
        R"("entry_hash":"598cb838bba913c90a5b0647e15e0c9fc2cad794edb36f4056dac055260b757d",)"
        R"("canonical_bytes":"eyJ2IjoxLCJjaGFpbiI6IjAxOTBhMWIyLWMzZDQtN2U1Zi04YTZiLTdjOGQ5ZTBmMWEy)"
        R"(YiIsInNlcSI6MSwieCI6IsOkIn0="})");
  CHECK(from_object(object) == one);
  CHECK(to_object(one) == object);
}

TEST_CASE("what is no object of ours is not read", "[audit]") {
  const std::string good = unpacked(to_object(entry()));
  REQUIRE(from_object(packed(good)).has_value());
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string text = good;
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return from_object(packed(text.replace(at, what.size(), instead))).has_value();
  };
  CHECK_FALSE(with("\"v\":1", "\"v\":2"));
  CHECK_FALSE(with("\"v\":1", "\"v\":1,\"v\":1"));
  CHECK_FALSE(with("\"v\":1", "\"w\":1"));
  CHECK_FALSE(with("\"v\":1,", ""));
  CHECK_FALSE(with("\"v\":1,", "\"v\":1,\"more\":1,"));
  CHECK_FALSE(with("\"seq\":1", "\"seq\":0"));
  CHECK_FALSE(with("\"seq\":1", "\"seq\":\"1\""));
  CHECK_FALSE(with("\"prev_hash\":\"00", "\"prev_hash\":\""));
  CHECK_FALSE(with("\"canonical_bytes\":\"e", "\"canonical_bytes\":\"*"));
  CHECK_FALSE(with(kChain.text(), "nobody"));
  CHECK_FALSE(from_object("").has_value());
  CHECK_FALSE(from_object(good).has_value());
  CHECK_FALSE(from_object(packed("[]")).has_value());
  std::string object = to_object(entry());
  CHECK_FALSE(from_object(object + "x").has_value());
  CHECK_FALSE(from_object(object.substr(0, object.size() - 1)).has_value());
  object[object.size() / 2] = static_cast<char>(object[object.size() / 2] ^ 1);
  CHECK_FALSE(from_object(object) == entry());
}

TEST_CASE("an object that unpacks to more than an entry can have is refused", "[audit]") {
  CHECK_FALSE(from_object(packed(std::string(100'000'000, ' '))).has_value());
}

TEST_CASE("an entry proves itself by its hash, its chain and its number", "[audit]") {
  CHECK(proves_itself(entry()));
  CHECK(proves_itself(entry(12)));
  auto changed = entry();
  changed.canonical_bytes.back() = ' ';
  CHECK_FALSE(proves_itself(changed));
  changed = entry();
  changed.entry_hash[0] = static_cast<char>(changed.entry_hash[0] ^ 1);
  CHECK_FALSE(proves_itself(changed));
  changed = entry(12);
  changed.seq = 13;
  CHECK_FALSE(proves_itself(changed));
  changed = entry(12);
  changed.chain = sdk::Uuid::v7(1);
  CHECK_FALSE(proves_itself(changed));
  changed = entry(1);
  changed.prev_hash[0] = 1;  // genesis has zeros before it
  changed.entry_hash = entry_hash(changed.prev_hash, changed.canonical_bytes);
  CHECK_FALSE(proves_itself(changed));
}

}  // namespace
}  // namespace plexsphere::audit
