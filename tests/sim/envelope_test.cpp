#include "sim/envelope.hpp"

#include <sodium.h>

#include <array>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "plexsphere/sdk/encoding.hpp"

using namespace plexsphere;
using sim::EnvelopeVerifier;
using sim::Verdict;

namespace {

// A signer as the Domain has one; its seed is `seed` 32 times.
class Signer {
 public:
  explicit Signer(unsigned char seed) {
    std::array<unsigned char, crypto_sign_SEEDBYTES> seeds;
    seeds.fill(seed);
    REQUIRE(crypto_sign_seed_keypair(public_.data(), secret_.data(), seeds.data()) == 0);
  }
  std::string public_key() const { return base64(public_.data(), public_.size()); }
  std::string sign(const std::string& bytes) const {
    std::array<unsigned char, crypto_sign_BYTES> signature;
    crypto_sign_detached(signature.data(), nullptr,
                         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                         secret_.data());
    return base64(signature.data(), signature.size());
  }

 private:
  static std::string base64(const unsigned char* bytes, std::size_t size) {
    return sdk::base64_encode({reinterpret_cast<const char*>(bytes), size});
  }
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_;
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_;
};

// Canonical bytes written out by hand; `payload` is spelled canonically.
std::string canonical(const std::string& key_id, const std::string& issued_at,
                      const std::string& payload, const std::string& type = "policy_updated") {
  return R"({"id":"0197c0de","type":")" + type + R"(","scope":"node:1","key_id":")" + key_id +
         R"(","issued_at":")" + issued_at + R"(","payload":)" + payload + "}";
}

// The envelope whose canonical bytes these are, as it goes on the wire.
std::string signed_by(const Signer& signer, const std::string& bytes) {
  return bytes.substr(0, bytes.size() - 1) + R"(,"signature":")" + signer.sign(bytes) + "\"}";
}

sdk::Instant at(const std::string& text) {
  return sdk::parse_rfc3339(text).value();
}

const std::string kTime = "2026-11-28T10:00:00.5Z";
const sdk::Instant kNow = at("2026-11-28T10:00:01Z");

Verdict judge(const EnvelopeVerifier& verifier, const std::string& wire) {
  return verifier.verify(sim::parse_envelope(wire), kNow);
}

}  // namespace

TEST_CASE("canonical bytes are what the agent's encoder makes of what it has parsed", "[sim]") {
  const auto of = [](const std::string& wire) {
    return sim::canonical_bytes(sim::parse_envelope(wire));
  };

  SECTION("six members in their order, whatever order they came in") {
    CHECK(of(R"({ "signature":"x", "payload" : {"b":1, "a":[ 1.50, 2e3 ]}, "issued_at":
                "2026-11-28T10:00:00Z", "key_id":"k", "scope":"s", "type":"t", "id":"i" })") ==
          R"({"id":"i","type":"t","scope":"s","key_id":"k","issued_at":"2026-11-28T10:00:00Z",)"
          R"("payload":{"b":1,"a":[1.50,2e3]}})");
  }
  SECTION("what is absent is empty, and a payload null") {
    CHECK(of("{}") ==
          R"({"id":"","type":"","scope":"","key_id":"","issued_at":"","payload":null})");
  }
  SECTION("names inside the payload are not members of the envelope") {
    CHECK(of(R"({"payload":{"payload":1,"x":"}\",\"payload\":2"},"id":"i"})") ==
          R"({"id":"i","type":"","scope":"","key_id":"","issued_at":"",)"
          R"("payload":{"payload":1,"x":"}\",\"payload\":2"}})");
  }
  SECTION("HTML and line separators are escaped, the rest of UTF-8 is not") {
    CHECK(of("{\"id\":\"<\xC3\xA4>&\xE2\x80\xA8\",\"payload\":\"a b<\xE2\x80\xA9 \\\"\"}") ==
          R"({"id":"\u003c)"
          "\xC3\xA4"
          R"(\u003e\u0026\u2028","type":"","scope":"","key_id":"","issued_at":"",)"
          R"("payload":"a b\u003c\u2029 \""})");
  }
  SECTION("strings outside the payload are spelled anew, those within stay as sent") {
    CHECK(of(R"({"id":"\u00e4\u0001\n\/\\\"","payload":"\u00e4\/"})") ==
          "{\"id\":\"\xC3\xA4"
          R"(\u0001\n/\\\"","type":"","scope":"","key_id":"","issued_at":"",)"
          R"("payload":"\u00e4\/"})");
  }
  SECTION("a time has its shortest fraction, of nine digits at most") {
    const auto time = [](const std::string& text) {
      const auto bytes =
          sim::canonical_bytes(sim::parse_envelope("{\"issued_at\":\"" + text + "\"}"));
      const auto begin = bytes.find("\"issued_at\":\"") + 13;
      return bytes.substr(begin, bytes.find('"', begin) - begin);
    };
    CHECK(time("2026-11-28T10:00:00Z") == "2026-11-28T10:00:00Z");
    CHECK(time("2026-11-28T10:00:00.000Z") == "2026-11-28T10:00:00Z");
    CHECK(time("2026-11-28T10:00:00.120Z") == "2026-11-28T10:00:00.12Z");
    CHECK(time("2026-11-28T10:00:00.1234567891Z") == "2026-11-28T10:00:00.123456789Z");
  }
}

TEST_CASE("a text that is no envelope is refused with what is wrong", "[sim]") {
  const auto refused = [](const std::string& text, const std::string& why) {
    CHECK_THROWS_WITH(sim::parse_envelope(text), Catch::Contains(why));
  };
  refused("", "no JSON object");
  refused("{\"id\":\"a\"", "no JSON object");
  refused("[]", "no JSON object");
  refused(R"({"id":7})", "\"id\" of an envelope is no string");
  refused(R"({"issued_at":"yesterday"})", "no time in UTC: yesterday");
  refused(R"({"issued_at":"2026-11-28T10:00:00+01:00"})", "no time in UTC");
}

TEST_CASE("an envelope is believed for its signature over its canonical bytes alone", "[sim]") {
  const Signer signer(1);
  const EnvelopeVerifier verifier("k1", signer.public_key());
  const std::string wire = signed_by(signer, canonical("k1", kTime, R"({"n":1})"));

  CHECK(judge(verifier, wire) == Verdict::kGenuine);
  const auto with = [&wire](const std::string& from, const std::string& to) {
    auto changed = wire;
    return changed.replace(changed.find(from), from.size(), to);
  };

  SECTION("spelled otherwise on the way, it is the same") {
    CHECK(judge(verifier, with("{\"n\":1}", "{ \"n\" : 1 }")) == Verdict::kGenuine);
    CHECK(judge(verifier, with(".5Z", ".500Z")) == Verdict::kGenuine);
  }
  SECTION("any change of what it says is a forgery") {
    for (const auto& [from, to] :
         std::vector<std::pair<std::string, std::string>>{{"0197c0de", "0197c0df"},
                                                          {"policy_updated", "node_state_updated"},
                                                          {"node:1", "node:2"},
                                                          {".5Z", ".6Z"},
                                                          {"{\"n\":1}", "{\"n\":1.0}"},
                                                          {"{\"n\":1}", "{}"}}) {
      INFO(from << " -> " << to);
      CHECK(judge(verifier, with(from, to)) == Verdict::kForged);
    }
  }
  SECTION("another's signature, or none that could be one") {
    const std::string bytes = canonical("k1", kTime, R"({"n":1})");
    CHECK(judge(verifier, signed_by(Signer(2), bytes)) == Verdict::kForged);
    CHECK(judge(verifier, bytes) == Verdict::kUnsigned);
    CHECK(judge(verifier, bytes.substr(0, bytes.size() - 1) + R"(,"signature":"AAAA"})") ==
          Verdict::kForged);
    CHECK(judge(verifier, bytes.substr(0, bytes.size() - 1) + R"(,"signature":"?"})") ==
          Verdict::kForged);
  }
  SECTION("a key that nobody has told, the empty one too") {
    CHECK(judge(verifier, signed_by(signer, canonical("k2", kTime, "1"))) == Verdict::kUnknownKey);
    CHECK(judge(verifier, signed_by(signer, canonical("", kTime, "1"))) == Verdict::kUnknownKey);
  }
  SECTION("five minutes old or ahead is the most") {
    const auto issued = [&](const std::string& time) {
      return judge(verifier, signed_by(signer, canonical("k1", time, "1")));
    };
    CHECK(issued("2026-11-28T09:55:01Z") == Verdict::kGenuine);
    CHECK(issued("2026-11-28T09:55:00Z") == Verdict::kStale);
    CHECK(issued("2026-11-28T10:05:01Z") == Verdict::kGenuine);
    CHECK(issued("2026-11-28T10:05:02Z") == Verdict::kFromTheFuture);
    CHECK(judge(verifier, R"({"signature":"x"})") == Verdict::kUndated);
  }
}

TEST_CASE("a key of another length is refused", "[sim]") {
  CHECK_THROWS_AS(EnvelopeVerifier("k", "AAAA"), std::invalid_argument);
}

TEST_CASE("signing_key_rotated puts a new key in place of the old", "[sim]") {
  const Signer old_signer(1);
  const Signer new_signer(2);
  EnvelopeVerifier verifier("k1", old_signer.public_key());
  const auto rotate = [&](const std::string& payload) {
    const auto wire = signed_by(old_signer, canonical("k1", kTime, payload, "signing_key_rotated"));
    return verifier.rotate(sim::parse_envelope(wire));
  };
  const auto judge_both = [&] {
    return std::pair(judge(verifier, signed_by(old_signer, canonical("k1", kTime, "1"))),
                     judge(verifier, signed_by(new_signer, canonical("k2", kTime, "1"))));
  };
  const std::string next = R"("key_id":"k2","public_key":")" + new_signer.public_key() + "\"";

  SECTION("the old one is good until the deadline when it is named") {
    CHECK(rotate("{" + next +
                 R"(,"previous_key_id":"k1","transition_expires":"2026-11-28T10:00:01Z"})"));
    CHECK(judge_both() == std::pair(Verdict::kGenuine, Verdict::kGenuine));
    CHECK(verifier.key_id() == "k2");
    const auto later = signed_by(old_signer, canonical("k1", "2026-11-28T10:00:02Z", "1"));
    CHECK(verifier.verify(sim::parse_envelope(later), at("2026-11-28T10:00:02Z")) ==
          Verdict::kUnknownKey);
  }
  SECTION("without a deadline, or with another named, the old one is gone") {
    CHECK(rotate("{" + next + R"(,"previous_key_id":"k1"})"));
    CHECK(judge_both() == std::pair(Verdict::kUnknownKey, Verdict::kGenuine));
  }
  SECTION("with another named too") {
    CHECK(rotate("{" + next +
                 R"(,"previous_key_id":"k0","transition_expires":"2026-11-28T11:00:00Z"})"));
    CHECK(judge_both() == std::pair(Verdict::kUnknownKey, Verdict::kGenuine));
  }
  SECTION("a key that cannot be used changes nothing") {
    CHECK_FALSE(rotate("null"));
    CHECK_FALSE(rotate("{}"));
    CHECK_FALSE(rotate(R"({"key_id":7,"public_key":"AAAA"})"));
    CHECK_FALSE(rotate(R"({"key_id":"k2","public_key":"AAAA"})"));
    CHECK_FALSE(rotate(R"({"key_id":"","public_key":")" + new_signer.public_key() + "\"}"));
    CHECK(judge_both() == std::pair(Verdict::kGenuine, Verdict::kUnknownKey));
  }
}
