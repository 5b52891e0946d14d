#include "domain/canonical_check.hpp"

#include <catch2/catch.hpp>

#include "plexsphere/sdk/encoding.hpp"
#include "random_records.hpp"

namespace plexsphere::audit {
namespace {

constexpr std::int64_t kSeq = 4711;

// A record, its bytes, and the columns that belong beside them.
struct Stored {
  explicit Stored(Record of) : record(std::move(of)) {
    record.subject_pseudonym = sdk::hex_encode(pseudonym);
    const Canonical canonical = encode(record);
    bytes = canonical.head + std::to_string(kSeq) + canonical.tail;
  }
  FilterColumns columns() const {
    return {record.chain,         kSeq,
            record.occurred_at,   record.reason,
            record.relation,      record.object_type,
            record.object_id,     pseudonym,
            record.correlation_id};
  }
  // Where the members begin that no column stands for.
  std::size_t free_part() const { return bytes.rfind(",\"relation_path\":"); }

  Record record;
  std::string pseudonym = std::string(30, 'p') + std::string("\x00\xff", 2);
  std::string bytes;
};

Stored plain() {
  return Stored(Record{"0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b",
                       std::chrono::sys_time<std::chrono::microseconds>(
                           std::chrono::microseconds(1'768'473'000'000'000)),
                       "granted",
                       "domain.create",
                       "domain",
                       "a \"quoted\" \\ name",
                       "",
                       "c-1",
                       {"a#b", "c#d"},
                       {{"from_cidr", {"cidr"}}},
                       std::string(64, 'a')});
}

TEST_CASE("what the encoder writes is what its columns say", "[audit]") {
  test::Records records(20'261'129);
  for (int i = 0; i < 3'000; ++i) {
    const Stored stored(records.next());
    REQUIRE(says_exactly(stored.bytes, stored.columns()));
  }
}

TEST_CASE("a column that says something else is found", "[audit]") {
  const Stored stored = plain();
  const std::string other = "other";
  const auto with = [&](auto change) {
    FilterColumns columns = stored.columns();
    change(columns);
    return says_exactly(stored.bytes, columns);
  };
  REQUIRE(with([](FilterColumns&) {}));
  CHECK_FALSE(with([&](FilterColumns& c) { c.chain = other; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.seq = kSeq + 1; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.seq = 471; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.occurred_at += std::chrono::microseconds(1); }));
  // A calendar whose years have 16 bits takes this for the same day.
  CHECK_FALSE(with([&](FilterColumns& c) {
    using namespace std::chrono;
    const auto day = floor<days>(c.occurred_at);
    auto far = day + days(23'936'525);  // some days less than 65,536 years
    while (year_month_day(far).month() != year_month_day(day).month() ||
           year_month_day(far).day() != year_month_day(day).day()) {
      far += days(1);
    }
    c.occurred_at += far - day;
  }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.reason = "out_of_scope"; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.relation = "domain.creat"; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.relation = "domain.created"; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.object_type = other; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.object_id = "a quoted name"; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.subject_pseudonym = other; }));
  CHECK_FALSE(with([&](FilterColumns& c) { c.correlation_id = ""; }));
}

TEST_CASE("a byte that is changed beside the columns is found", "[audit]") {
  const Stored stored = plain();
  for (std::size_t at = 0; at < stored.free_part(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string forged = stored.bytes;
      forged[at] = static_cast<char>(forged[at] ^ (1 << bit));
      REQUIRE_FALSE(says_exactly(forged, stored.columns()));
    }
  }
}

TEST_CASE("bytes that are cut, or go on, are none of version 1", "[audit]") {
  const Stored stored = plain();
  for (std::size_t size = 0; size < stored.bytes.size(); ++size) {
    REQUIRE_FALSE(says_exactly(stored.bytes.substr(0, size), stored.columns()));
  }
  CHECK_FALSE(says_exactly(stored.bytes + " ", stored.columns()));
  CHECK_FALSE(says_exactly(stored.bytes + stored.bytes, stored.columns()));
}

TEST_CASE("a member that is repeated, added or of another shape is found", "[audit]") {
  const Stored stored = plain();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string forged = stored.bytes;
    const auto at = forged.rfind(from);
    REQUIRE(at != std::string::npos);
    forged.replace(at, from.size(), to);
    return says_exactly(forged, stored.columns());
  };
  const std::string relation = R"("relation":"domain.delete",)";
  CHECK_FALSE(with(R"("relation_path":)", relation + R"("relation_path":)"));
  CHECK_FALSE(with("}", R"(,"relation":"domain.delete"})"));
  CHECK_FALSE(with(R"(["a#b","c#d"])", R"(["a#b","c#d",1])"));
  CHECK_FALSE(with(R"(["a#b","c#d"])", R"(["a#b", "c#d"])"));
  CHECK_FALSE(with(R"(["a#b","c#d"])", "null"));
  CHECK_FALSE(with(R"({"from_cidr":["cidr"]})", R"({"from_cidr":"cidr"})"));
  CHECK_FALSE(with(R"({"from_cidr":["cidr"]})", "[]"));
  CHECK(with(R"({"from_cidr":["cidr"]})", "{}"));  // free, and the hash's to judge
  CHECK(with("\"" + std::string(64, 'a') + "\"", "null"));
}

TEST_CASE("the context's digest is the last member, or there is none", "[audit]") {
  const std::string digest(64, 'a');
  const std::string member = R"(,"request_context_hash":)";
  CHECK(context_digest("{\"v\":1" + member + "\"" + digest + "\"}") == digest);
  CHECK(context_digest("{\"v\":1" + member + "null}").empty());
  CHECK(context_digest("{\"v\":1" + member + "\"" + digest + "\"} ").empty());
  CHECK(context_digest("").empty());
}

}  // namespace
}  // namespace plexsphere::audit
