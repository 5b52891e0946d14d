#include "domain/scope.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::signing {
namespace {

constexpr std::string_view kDomain = "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3";

TEST_CASE("a scope is the platform or a Domain in canonical spelling", "[signing]") {
  CHECK(Scope::parse("platform").value().is_platform());
  CHECK(Scope::parse(kDomain).value().text() == kDomain);
  for (const std::string_view text :
       {"", "Platform", "domain:", "node:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3",
        "domain:0190A8B8-a0c0-7a0a-8a0a-a0a0a0a0a0a3", "domain:0190a8b8a0c07a0a8a0aa0a0a0a0a0a3",
        "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3 ",
        "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0g3"}) {
    INFO(text);
    REQUIRE_FALSE(Scope::parse(text).ok());
    CHECK(Scope::parse(text).fault().kind == FaultKind::kInvariantViolation);
  }
}

TEST_CASE("deployment profiles refuse the platform scope in the contract's words", "[signing]") {
  const Scope platform = Scope::parse("platform").value();
  const Scope domain = Scope::parse(kDomain).value();
  for (const Profile profile :
       {Profile::kSaas, Profile::kSelfhostedSingle, Profile::kSelfhostedMulti}) {
    CHECK(check_profile(profile, domain).ok());
  }
  CHECK(check_profile(Profile::kSelfhostedSingle, platform).ok());
  CHECK(check_profile(Profile::kSaas, platform).fault().cause ==
        "signing scope \"platform\" not permitted in profile \"saas\": SaaS deployments require "
        "per-Domain keys");
  CHECK(check_profile(Profile::kSelfhostedMulti, platform).fault().cause ==
        "signing scope \"platform\" not permitted in profile \"selfhosted-multi\": multi-Domain "
        "installations require per-Domain keys");
}

TEST_CASE("profiles are read by their names and by no other", "[signing]") {
  CHECK(parse_profile("saas").value() == Profile::kSaas);
  CHECK(parse_profile("selfhosted-single").value() == Profile::kSelfhostedSingle);
  CHECK(parse_profile("selfhosted-multi").value() == Profile::kSelfhostedMulti);
  CHECK_FALSE(parse_profile("SaaS").ok());
}

TEST_CASE("key ids are short and need no escaping anywhere", "[signing]") {
  CHECK(is_key_id("k-2026-11-abcdefgh"));
  CHECK(is_key_id("did:web:plexsphere.com#key-2026-04"));
  CHECK(is_key_id(std::string(128, 'k')));
  CHECK_FALSE(is_key_id(std::string(129, 'k')));
  for (const std::string_view text : {"", "a b", "a|b", "a\"b", "a\\b", "a\nb", "\xc3\xa9"}) {
    CHECK_FALSE(is_key_id(text));
  }
}

}  // namespace
}  // namespace plexsphere::signing
