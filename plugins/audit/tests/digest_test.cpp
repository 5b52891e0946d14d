#include "app/digest.hpp"

#include <catch2/catch.hpp>
#include <numeric>

#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::audit {
namespace {

TEST_CASE("a pseudonym is sha256 of pepper and the subject's sixteen bytes", "[audit]") {
  std::string pepper(32, '\0');
  std::iota(pepper.begin(), pepper.end(), '\0');
  const auto subject = subject_bytes("user", "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
  REQUIRE(subject.ok());
  CHECK(sdk::hex_encode(pseudonym(pepper, subject.value())) ==
        "56f0038ca6751b7fe34dd262a9f75406d360c651f48f8ed0ef62e8d3dbfabc9b");
}

TEST_CASE("jobs have bytes of their name, the anonymous have zeros", "[audit]") {
  CHECK(sdk::hex_encode(subject_bytes("system", "nightly").value()) ==
        "8f878fc2778713579c39fd6ad5b1366e");
  CHECK(subject_bytes("anonymous", "").value() == std::string(16, '\0'));
}

TEST_CASE("an identity without a UUID is refused", "[audit]") {
  const auto subject = subject_bytes("user", "alice");
  REQUIRE_FALSE(subject.ok());
  CHECK(subject.error().reason == "invalid_subject");
}

TEST_CASE("the digest of a request's context is as pinned", "[audit]") {
  const Address address = parse_address("192.0.2.7");
  CHECK(sdk::hex_encode(context_hash(std::string(16, '\x11'), address, "plexctl/1.0")) ==
        "d4e9074692079acfd941a0edc619ff239c9b52632d00f59e4cff0eaaf10faa47");
}

TEST_CASE("the boundary between address and user agent cannot be moved", "[audit]") {
  const std::string salt(16, 's');
  CHECK(context_hash(salt, parse_address("192.0.2.1"), "2x") !=
        context_hash(salt, parse_address("192.0.2.12"), "x"));
}

TEST_CASE("addresses have one spelling", "[audit]") {
  CHECK(parse_address("::ffff:192.0.2.7").text == "192.0.2.7");
  CHECK(parse_address("2001:DB8:0:0::1").text == "2001:db8::1");
  CHECK(parse_address("unix").bytes.empty());
  CHECK(parse_address("").text.empty());
}

}  // namespace
}  // namespace plexsphere::audit
