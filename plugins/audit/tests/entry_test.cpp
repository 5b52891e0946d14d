#include "app/entry.hpp"

#include <catch2/catch.hpp>

#include "app/digest.hpp"
#include "app/resolvers.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "store/decode.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Uuid;

constexpr std::string_view kUser = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
const Uuid kDomain = *Uuid::parse("0190a1b2-0000-7000-8000-00000000000d");

px_audit_entry wire_entry() {
  px_audit_entry entry{};
  entry.struct_size = sizeof entry;
  entry.chain = PX_CHAIN_RESOLVE;
  entry.reason = PX_REASON_GRANTED;
  entry.subject_scope_platform = 1;
  entry.subject_type = sdk::to_wire("user");
  entry.subject_id = sdk::to_wire(kUser);
  entry.relation = sdk::to_wire("read");
  entry.object_type = sdk::to_wire("project");
  entry.object_id = sdk::to_wire("p-1");
  entry.correlation_id = sdk::to_wire("corr");
  return entry;
}

sdk::Error refusal(const px_audit_entry& wire) {
  const auto entry = copy_entry(wire, {});
  REQUIRE_FALSE(entry.ok());
  return entry.error();
}

TEST_CASE("an entry beyond its bounds is refused", "[audit]") {
  const std::string long_text(129, 'x');
  auto wire = wire_entry();
  wire.relation = sdk::to_wire(long_text);
  CHECK(refusal(wire).reason == "invalid_entry");
  wire = wire_entry();
  wire.object_type = {};
  CHECK(refusal(wire).reason == "invalid_entry");
  wire = wire_entry();
  wire.relation_path_count = 65;
  CHECK(refusal(wire).reason == "invalid_entry");
  wire = wire_entry();
  wire.caveat_name_count = 33;
  CHECK(refusal(wire).reason == "invalid_entry");
  wire = wire_entry();
  wire.chain = 9;
  CHECK(refusal(wire).reason == "invalid_entry");
  wire = wire_entry();
  wire.struct_size = 8;
  CHECK(refusal(wire).reason == "invalid_entry");
}

TEST_CASE("a Domain's entry must name a Domain, and not the platform's anchor", "[audit]") {
  auto wire = wire_entry();
  wire.chain = PX_CHAIN_DOMAIN;
  CHECK(refusal(wire).reason == "domain_unresolved");
  wire.domain_id = platform_anchor().wire();
  CHECK(refusal(wire).reason == "domain_unresolved");
}

TEST_CASE("a row holds only digests of who and from where", "[audit]") {
  auto wire = wire_entry();
  const std::string agent(600, 'a');
  wire.remote_ip = sdk::to_wire("192.0.2.7");
  wire.user_agent = sdk::to_wire(agent);
  const px_pair caveat{sdk::to_wire("from_cidr"), sdk::to_wire("cidr,address,cidr")};
  wire.caveat_names = &caveat;
  wire.caveat_name_count = 1;
  const auto entry = copy_entry(wire, sdk::instant_from_us(1'000'001));
  REQUIRE(entry.ok());
  const std::string name(32, '\xAB');
  const Row row = make_row(entry.value(), kDomain, name);

  const std::string canonical = row.head + "7" + row.tail;
  for (const std::string_view secret :
       {kUser, std::string_view("192.0.2.7"), std::string_view("aaaa")}) {
    CHECK(canonical.find(secret) == std::string::npos);
  }
  REQUIRE(row.salt);
  CHECK(row.user_agent->size() == EntryLimits::kUserAgent);
  const std::string digest =
      sdk::hex_encode(context_hash(*row.salt, parse_address(*row.source_ip), *row.user_agent));
  CHECK(canonical.find("\"request_context_hash\":\"" + digest) != std::string::npos);

  const auto decoded = decode(canonical);
  REQUIRE(decoded);
  CHECK(decoded->chain == kDomain.text());
  CHECK(decoded->occurred_at == sdk::instant_from_us(1'000'001));
  CHECK(decoded->subject_pseudonym == sdk::hex_encode(name));
  REQUIRE(decoded->caveat_context.size() == 1);
  CHECK(decoded->caveat_context[0].second == std::vector<std::string>{"address", "cidr"});
  CHECK(make_row(entry.value(), kDomain, name).salt != row.salt);
}

TEST_CASE("an entry from nowhere has no salt, and one without correlation gets its own",
          "[audit]") {
  auto wire = wire_entry();
  wire.correlation_id = {};
  const auto entry = copy_entry(wire, {});
  REQUIRE(entry.ok());
  CHECK(Uuid::parse(entry.value().correlation_id));
  const Row row = make_row(entry.value(), kDomain, std::string(32, 'p'));
  CHECK_FALSE(row.salt);
  CHECK(row.tail.ends_with("\"request_context_hash\":null}"));
}

TEST_CASE("bytes that are no entry are told apart", "[audit]") {
  CHECK_FALSE(decode("not json"));
  CHECK_FALSE(decode("[]"));
  CHECK_FALSE(decode(R"({"v":1})"));
}

// A resolver that owns every project but "p-none", and counts how often it is asked.
px_status own_projects(void* asked, px_str id, px_uuid* ids, uint64_t, uint64_t* count,
                       px_error* err) {
  ++*static_cast<int*>(asked);
  if (sdk::view(id) == "p-away") {
    return sdk::report(err, {sdk::Code::unavailable, "database_unavailable", "away"});
  }
  *count = 0;
  if (sdk::view(id) != "p-none") {
    ids[(*count)++] = kDomain.wire();
  }
  return PX_OK;
}

struct Owned {
  int asked = 0;
  Resolvers resolvers;
  Owned() { REQUIRE(resolvers.add("project", &own_projects, &asked).ok()); }
  Entry entry(std::string_view object) {
    auto wire = wire_entry();
    wire.object_id = sdk::to_wire(object);
    return copy_entry(wire, {}).value();
  }
};

TEST_CASE("an owner is asked for once and remembered", "[audit]") {
  Owned owned;
  CHECK_FALSE(owned.resolvers.known_chains(owned.entry("p-1")));
  CHECK(owned.resolvers.chains(owned.entry("p-1")).value() == Resolvers::Domains{kDomain});
  CHECK(owned.resolvers.known_chains(owned.entry("p-1")) == Resolvers::Domains{kDomain});
  CHECK(owned.asked == 1);
}

TEST_CASE("what nobody owns is asked for again, and lives with its subject", "[audit]") {
  Owned owned;
  for (int i = 1; i <= 2; ++i) {
    CHECK(owned.resolvers.chains(owned.entry("p-none")).value() ==
          Resolvers::Domains{platform_anchor()});
    CHECK(owned.asked == i);
  }
  Entry lost = owned.entry("p-none");
  lost.subject_is_platform = false;
  const auto nowhere = owned.resolvers.chains(lost);
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().reason == "domain_unresolved");
}

TEST_CASE("a resolver that fails is no answer", "[audit]") {
  Owned owned;
  const auto away = owned.resolvers.chains(owned.entry("p-away"));
  REQUIRE_FALSE(away.ok());
  CHECK(away.error().code == sdk::Code::unavailable);
}

TEST_CASE("a type has one resolver", "[audit]") {
  Owned owned;
  CHECK(owned.resolvers.add("project", &own_projects, nullptr).error().reason == "resolver_exists");
  CHECK(owned.resolvers.add("", &own_projects, nullptr).error().reason == "invalid_resolver");
}

}  // namespace
}  // namespace plexsphere::audit
