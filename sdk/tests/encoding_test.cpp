#include "plexsphere/sdk/encoding.hpp"

#include <catch2/catch.hpp>

using namespace plexsphere::sdk;

// RFC 4648 §10, base32 in lower case and without padding.
TEST_CASE("encodings answer the vectors of RFC 4648", "[sdk]") {
  CHECK(base64_encode("") == "");
  CHECK(base64_encode("f") == "Zg==");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode("foobar") == "Zm9vYmFy");
  CHECK(base32_encode("f") == "my");
  CHECK(base32_encode("foob") == "mzxw6yq");
  CHECK(base32_encode("foobar") == "mzxw6ytboi");
  CHECK(hex_encode("foobar") == "666f6f626172");
  CHECK(base64url_encode("\xfb\xff") == "-_8");
}

TEST_CASE("every byte string survives each encoding", "[sdk]") {
  std::string bytes;
  for (int length = 0; length < 70; ++length) {
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
    CHECK(base64url_decode(base64url_encode(bytes)) == bytes);
    CHECK(base32_decode(base32_encode(bytes)) == bytes);
    CHECK(hex_decode(hex_encode(bytes)) == bytes);
    bytes.push_back(static_cast<char>(length * 37 + 11));
  }
}

TEST_CASE("decoders refuse what an encoder would not write", "[sdk]") {
  CHECK_FALSE(base64_decode("Zg"));          // padding missing
  CHECK_FALSE(base64_decode("Zg="));         // half of it
  CHECK_FALSE(base64_decode("Z==="));        // too much of it
  CHECK_FALSE(base64_decode("Zh=="));        // trailing bits set
  CHECK_FALSE(base64_decode("Zm9v\nYmFy"));  // white space
  CHECK_FALSE(base64_decode("Zm-v"));        // the other alphabet
  CHECK_FALSE(base64url_decode("Zg=="));     // padded
  CHECK_FALSE(base64url_decode("A"));        // not a whole byte
  CHECK_FALSE(base32_decode("MY"));          // upper case
  CHECK_FALSE(base32_decode("mz"));          // trailing bits set
  CHECK_FALSE(base32_decode("a"));
  CHECK_FALSE(hex_decode("6"));
  CHECK_FALSE(hex_decode("6G"));
  CHECK_FALSE(hex_decode("FF"));  // canonical hex is lower case
}
