#include "app/denial_cap.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::audit {
namespace {

using namespace std::chrono_literals;
using Verdict = DenialCap::Verdict;

const sdk::Uuid kChain = *sdk::Uuid::parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a01");
const sdk::Uuid kOther = *sdk::Uuid::parse("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a02");
constexpr std::int64_t kLimit = 3;

Entry refusal(sdk::Instant at = sdk::instant_from_us(0)) {
  Entry entry;
  entry.reason = PX_REASON_INSUFFICIENT_RELATION;
  entry.subject_type = "user";
  entry.subject_id = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
  entry.relation = "read";
  entry.object_type = "user";
  entry.object_id = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2c";
  entry.object_bytes = std::string(16, 'x');
  entry.relation_path = {"user#read"};
  entry.correlation_id = "first";
  entry.occurred_at = at;
  return entry;
}

struct Cap : DenialCap {
  Cap() : DenialCap(kLimit, {}) {}
  // `times` the same; the last verdict.
  Verdict repeat(int times, const Entry& entry, const sdk::Uuid& chain = kChain) {
    Verdict last = Verdict::kWrite;
    for (int i = 0; i < times; ++i) {
      last = judge(entry, chain);
    }
    return last;
  }
};

TEST_CASE("refusals beyond the cap are announced once and then counted", "[audit]") {
  Cap cap;
  CHECK(cap.repeat(kLimit, refusal()) == Verdict::kWrite);
  CHECK(cap.judge(refusal(), kChain) == Verdict::kAnnounce);
  CHECK(cap.repeat(40, refusal()) == Verdict::kCount);
}

TEST_CASE("grants are never capped, and never count", "[audit]") {
  Cap cap;
  Entry grant = refusal();
  grant.reason = PX_REASON_GRANTED;
  CHECK(cap.repeat(100, grant) == Verdict::kWrite);
  CHECK(cap.repeat(kLimit, refusal()) == Verdict::kWrite);
}

TEST_CASE("each chain and each principal has a cap of its own", "[audit]") {
  Cap cap;
  REQUIRE(cap.repeat(10, refusal()) == Verdict::kCount);
  CHECK(cap.judge(refusal(), kOther) == Verdict::kWrite);
  Entry another = refusal();
  another.subject_id = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1aff";
  CHECK(cap.judge(another, kChain) == Verdict::kWrite);
}

TEST_CASE("those who share a subject are told apart by address", "[audit]") {
  Cap cap;
  Entry stranger = refusal();
  stranger.subject_type = "system";
  stranger.subject_id = "register";
  stranger.remote_ip = "192.0.2.1";
  REQUIRE(cap.repeat(10, stranger) == Verdict::kCount);
  stranger.remote_ip = "192.0.2.2";
  CHECK(cap.judge(stranger, kChain) == Verdict::kWrite);
}

TEST_CASE("a window that is over yields one count, and the next begins anew", "[audit]") {
  Cap cap;
  REQUIRE(cap.repeat(kLimit + 5, refusal()) == Verdict::kCount);
  CHECK(cap.collect(sdk::instant_from_us(0) + DenialCap::kWindow - 1us).empty());
  const auto counts = cap.collect(sdk::instant_from_us(0) + DenialCap::kWindow);
  REQUIRE(counts.size() == 1);
  CHECK(counts[0].relation == "audit.denials_counted");
  CHECK(counts[0].relation_path == std::vector<std::string>{"count:5", "from:1970-01-01T00:00:00Z",
                                                            "until:1970-01-01T00:01:00Z"});
  CHECK(counts[0].chain == PX_CHAIN_DOMAIN);
  CHECK(counts[0].domain_id == kChain);
  CHECK(counts[0].subject_id == refusal().subject_id);
  CHECK(counts[0].reason == PX_REASON_INSUFFICIENT_RELATION);
  CHECK(counts[0].correlation_id == "first");
  CHECK(cap.collect(sdk::instant_from_us(0) + 2 * DenialCap::kWindow).empty());
  CHECK(cap.repeat(kLimit, refusal()) == Verdict::kWrite);
}

TEST_CASE("a window is over for its own next refusal too", "[audit]") {
  Cap cap;
  REQUIRE(cap.repeat(kLimit + 2, refusal()) == Verdict::kCount);
  const sdk::Instant later = sdk::instant_from_us(0) + DenialCap::kWindow;
  CHECK(cap.repeat(kLimit, refusal(later)) == Verdict::kWrite);
  const auto counts = cap.collect(later);
  REQUIRE(counts.size() == 1);
  CHECK(counts[0].relation_path.front() == "count:2");
}

TEST_CASE("nothing is counted of who stays within the cap", "[audit]") {
  Cap cap;
  REQUIRE(cap.repeat(kLimit, refusal()) == Verdict::kWrite);
  CHECK(cap.collect(std::nullopt).empty());
}

TEST_CASE("the end collects windows that are not over, and the platform's chain too", "[audit]") {
  Cap cap;
  REQUIRE(cap.repeat(kLimit + 1, refusal(), platform_anchor()) == Verdict::kAnnounce);
  const auto counts = cap.collect(std::nullopt);
  REQUIRE(counts.size() == 1);
  CHECK(counts[0].chain == PX_CHAIN_PLATFORM);
  CHECK(cap.collect(std::nullopt).empty());
}

TEST_CASE("a count that could not be written is yielded again", "[audit]") {
  Cap cap;
  REQUIRE(cap.repeat(kLimit + 1, refusal()) == Verdict::kAnnounce);
  const auto counts = cap.collect(std::nullopt);
  REQUIRE(counts.size() == 1);
  cap.put_back(counts[0]);
  CHECK(cap.collect(sdk::instant_from_us(0)).size() == 1);
}

TEST_CASE("what is written about a cap names nobody but its principal", "[audit]") {
  Cap cap;
  const Entry announcement = cap.announcement(refusal());
  CHECK(announcement.relation == "audit.denials_capped");
  CHECK(announcement.relation_path == std::vector<std::string>{"limit:3"});
  CHECK(announcement.object_type == "audit");
  CHECK(announcement.object_id == "denials");
  CHECK_FALSE(announcement.object_bytes);
  CHECK(announcement.subject_id == refusal().subject_id);
}

TEST_CASE("a clock that is set back begins a new window", "[audit]") {
  Cap cap;
  const sdk::Instant noon = sdk::instant_from_us(0) + 12h;
  REQUIRE(cap.repeat(kLimit + 1, refusal(noon)) == Verdict::kAnnounce);
  CHECK(cap.judge(refusal(noon - 1h), kChain) == Verdict::kWrite);
  CHECK(cap.collect(noon).size() == 1);
}

TEST_CASE("more principals than are followed are written, not forgotten", "[audit]") {
  Cap cap;
  Entry entry = refusal();
  for (std::size_t i = 0; i < DenialCap::kMostPrincipals; ++i) {
    entry.subject_id = std::to_string(i);
    REQUIRE(cap.judge(entry, kChain) == Verdict::kWrite);
  }
  entry.subject_id = "one more";
  CHECK(cap.repeat(10, entry) == Verdict::kWrite);
}

}  // namespace
}  // namespace plexsphere::audit
