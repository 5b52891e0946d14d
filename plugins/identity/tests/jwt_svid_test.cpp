#include "app/jwt_svid.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "app/trust_bundle.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "support/temp_dir.hpp"

using namespace plexsphere;
using namespace plexsphere::identity;
using nlohmann::json;

namespace {

std::string token(const json& header, const json& payload, const std::string& signature = "sig") {
  return sdk::base64url_encode(header.dump()) + "." + sdk::base64url_encode(payload.dump()) + "." +
         sdk::base64url_encode(signature);
}

const json kHeader{{"alg", "ES256"}, {"kid", "k1"}, {"typ", "JWT"}};
const json kPayload{
    {"sub", "spiffe://example.org/web"}, {"aud", "plexsphere"}, {"exp", 1800000000}};

json with(json object, const char* name, const json& value) {
  object[name] = value;
  return object;
}
json without(json object, const char* name) {
  object.erase(name);
  return object;
}

// A clock that stands still until it is moved.
struct Hands {
  std::int64_t steady_ns = 0;
  px_clock wire{{sizeof(px_clock), 1, this},
                [](void*) noexcept -> std::int64_t { return 0; },
                [](void* self) noexcept { return static_cast<Hands*>(self)->steady_ns; }};
  void move(std::chrono::nanoseconds by) { steady_ns += by.count(); }
};

json bundle_with(const std::string& kid) {
  return {{"keys",
           {{{"kty", "EC"},
             {"use", "jwt-svid"},
             {"kid", kid},
             {"crv", "P-256"},
             {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
             {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}}}};
}

// The file with another time of writing than before, whatever the file system's grain.
void put(const std::filesystem::path& file, const std::string& text, int version) {
  std::ofstream(file) << text;
  std::filesystem::last_write_time(
      file, std::filesystem::file_time_type(std::chrono::seconds(1000 + version)));
}

}  // namespace

TEST_CASE("a JWT-SVID is taken apart", "[identity]") {
  const std::string text =
      token(kHeader, with(with(kPayload, "aud", {"a", "b"}), "nbf", 1799999999.5));
  const auto svid = parse_jwt_svid(text);
  REQUIRE(svid);
  CHECK(svid->algorithm == "ES256");
  CHECK(svid->key_id == "k1");
  CHECK(svid->signature == "sig");
  CHECK(text == std::string(svid->signing_input) + "." + sdk::base64url_encode("sig"));
  CHECK(svid->claims.subject == "spiffe://example.org/web");
  CHECK(svid->claims.audience == std::vector<std::string>{"a", "b"});
  CHECK(svid->claims.expires_at == WholeSeconds(1800000000));
  CHECK(svid->claims.not_before == WholeSeconds(1799999999));
  CHECK_FALSE(svid->claims.issued_at);
}

TEST_CASE("what is no JWT-SVID is not taken for one", "[identity]") {
  const auto refused = [](const json& header, const json& payload) {
    return !parse_jwt_svid(token(header, payload)).has_value();
  };
  REQUIRE_FALSE(refused(kHeader, kPayload));
  for (const char* algorithm : {"none", "HS256", "", "es256", "RSA-OAEP"}) {
    CHECK(refused(with(kHeader, "alg", algorithm), kPayload));
  }
  CHECK(refused(without(kHeader, "alg"), kPayload));
  CHECK(refused(without(kHeader, "kid"), kPayload));
  CHECK(refused(with(kHeader, "typ", "at+jwt"), kPayload));
  CHECK(refused(with(kHeader, "crit", {"exp"}), kPayload));
  CHECK(refused(json::array(), kPayload));
  for (const char* claim : {"sub", "aud", "exp"}) {
    CHECK(refused(kHeader, without(kPayload, claim)));
  }
  CHECK(refused(kHeader, with(kPayload, "aud", json::array())));
  CHECK(refused(kHeader, with(kPayload, "aud", {"a", 1})));
  CHECK(refused(kHeader, with(kPayload, "exp", "1800000000")));
  CHECK(refused(kHeader, with(kPayload, "exp", -1)));
  CHECK(refused(kHeader, with(kPayload, "exp", 1e300)));
  CHECK(refused(kHeader, with(kPayload, "nbf", "soon")));

  const std::string good = token(kHeader, kPayload);
  CHECK_FALSE(parse_jwt_svid(""));
  CHECK_FALSE(parse_jwt_svid("a.b"));
  CHECK_FALSE(parse_jwt_svid(good + ".x"));
  CHECK_FALSE(parse_jwt_svid("=" + good));
  CHECK_FALSE(parse_jwt_svid(token(kHeader, with(kPayload, "pad", std::string(4096, 'x')))));
}

TEST_CASE("a bundle yields its JWT-SVID keys", "[identity]") {
  json bundle = bundle_with("k1");
  bundle["spiffe_sequence"] = 7;
  bundle["keys"].push_back({{"kty", "RSA"},
                            {"use", "jwt-svid"},
                            {"kid", "k2"},
                            {"alg", "RS256"},
                            {"n", "AQID"},
                            {"e", "AQAB"}});
  bundle["keys"].push_back(
      {{"kty", "OKP"}, {"use", "jwt-svid"}, {"kid", "k3"}, {"crv", "Ed25519"}, {"x", "AQID"}});
  bundle["keys"].push_back({{"kty", "EC"}, {"use", "x509-svid"}, {"x5c", {"AAAA"}}});
  bundle["keys"].push_back({{"kty", "oct"}, {"use", "jwt-svid"}, {"kid", "k4"}, {"k", "AQID"}});
  const auto keys = parse_bundle(bundle.dump());
  REQUIRE(keys.ok());
  REQUIRE(keys->size() == 3);
  CHECK(keys->at(0).key.type == PX_KEY_P256);
  CHECK(keys->at(0).key.a.size() == 32);
  CHECK(keys->at(1).key ==
        sdk::VerificationKey{PX_KEY_RSA, "\x01\x02\x03", std::string("\1\0\1", 3)});
  CHECK(keys->at(1).algorithm == "RS256");
  CHECK(keys->at(2).key.type == PX_KEY_ED25519);

  for (const char* wrong : {"", "{", "[]", "{}", R"({"keys":{}})", "null"}) {
    CHECK_FALSE(parse_bundle(wrong).ok());
  }
  json many{{"keys", json::array()}};
  for (int i = 0; i < 257; ++i) {
    many["keys"].push_back({{"kty", "EC"}});
  }
  CHECK_FALSE(parse_bundle(many.dump()).ok());
}

TEST_CASE("a bundle's file is read again when it has changed, and kept when it is away",
          "[identity]") {
  const test_support::TempDir dir;
  const auto file = dir.path() / "bundle.json";
  Hands hands;
  TrustBundle bundle(file, "example.org", sdk::Clock(&hands.wire), {});
  CHECK(bundle.key("k1").error().reason == "spiffe_bundle_unreachable");

  put(file, bundle_with("k1").dump(), 1);
  CHECK_FALSE(bundle.key("k1").ok());  // asked less than a second ago
  hands.move(TrustBundle::kLookForUnknownKey);
  REQUIRE(bundle.key("k1").ok());
  CHECK((*bundle.key("k1"))->id == "k1");
  CHECK_FALSE(*bundle.key("k2"));

  put(file, bundle_with("k2").dump(), 2);
  CHECK(*bundle.key("k1"));  // known: not looked for
  hands.move(TrustBundle::kLookForUnknownKey);
  CHECK(*bundle.key("k2"));
  CHECK_FALSE(*bundle.key("k1"));

  put(file, bundle_with("k3").dump(), 3);
  hands.move(TrustBundle::kLookEvery);
  CHECK_FALSE(*bundle.key("k2"));

  put(file, "broken", 4);
  hands.move(TrustBundle::kLookEvery);
  CHECK(*bundle.key("k3"));
  std::filesystem::remove(file);
  hands.move(TrustBundle::kLookEvery);
  CHECK(*bundle.key("k3"));
}
