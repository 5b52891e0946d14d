#include "domain/key_set_document.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::signing {
namespace {

using std::chrono::seconds;

KeySet sample() {
  const Scope scope = Scope::parse("domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3").value();
  KeyEntry one;
  one.key_id = "k-old";
  one.events.fill(0x0a);
  one.checkpoints.fill(0xb0);
  KeyEntry two = one;
  two.key_id = "k-new";
  const UnixSeconds start{seconds(1735689600)};
  return KeySet(scope)
      .open(one, start, seconds(600))
      .value()
      .open(two, start + seconds(10), seconds(600))
      .value();
}

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

TEST_CASE("a key set has exactly this spelling", "[signing]") {
  const std::string keys = " " + repeat("0a", 32) + " " + repeat("b0", 32) + "\n";
  CHECK(encode_key_set(sample()) ==
        "plexsphere-key-set v1\n"
        "scope domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3\n"
        "number 2\n"
        "rotation k-old k-new 1735689610 1735690210\n"
        "key k-old rotating 1735689600 0" +
            keys + "key k-new active 1735689610 0" + keys);
}

TEST_CASE("what is written reads back as the same key set", "[signing]") {
  const KeySet open = sample();
  CHECK(parse_key_set(encode_key_set(open)).value() == open);
  const KeySet closed =
      open.close("k-old", "k-new", UnixSeconds(seconds(1735690210)), false).value();
  CHECK(parse_key_set(encode_key_set(closed)).value() == closed);
}

TEST_CASE("any other spelling of a key set is refused", "[signing]") {
  const std::string good = encode_key_set(sample());
  const auto with = [&good](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& bad :
       {std::string(), good + "\n", good + "x", good.substr(0, good.size() - 1), " " + good,
        with("v1", "v2"), with("number 2", "number 02"), with("number 2", "number +2"),
        with("number 2", "number -2"), with("number 2\n", "number 2 \n"),
        with("number 2", "number 99999999999999999999"), with("0a0a", "0A0A"), with("0a0a", "0a0"),
        with("rotating", "Rotating"), with("active", "retired"), with("key k-old", "key  k-old"),
        with("scope domain:", "scope Domain:"), with("\n", "\r\n"),
        with("1735690210", "1735689000")}) {
    INFO(bad);
    REQUIRE_FALSE(parse_key_set(bad).ok());
    CHECK(parse_key_set(bad).fault().kind == FaultKind::kKeySetRejected);
  }
}

TEST_CASE("no single changed byte of a key set leaves the same set", "[signing]") {
  const std::string good = encode_key_set(sample());
  const KeySet set = sample();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string text = good;
    text[i] = static_cast<char>(text[i] ^ 0x01);
    const Outcome<KeySet> read = parse_key_set(text);
    CHECK((!read.ok() || read.value() != set));
  }
}

TEST_CASE("an oversized document is refused unread", "[signing]") {
  CHECK_FALSE(parse_key_set(std::string(kMaxDocumentBytes + 1, 'x')).ok());
}

}  // namespace
}  // namespace plexsphere::signing
