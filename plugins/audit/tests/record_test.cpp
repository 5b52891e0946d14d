#include "domain/record.hpp"

#include <catch2/catch.hpp>

#include "app/digest.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::audit {
namespace {

using std::chrono::microseconds;
using std::chrono::sys_time;

// Both vectors and their hashes were made by another program (Python's hashlib over text written by
// hand): they pin version 1 for good. A change that needs them changed is a new version.
const std::string kChain = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";

Record plain_record() {
  return {kChain,
          sys_time<microseconds>(microseconds(1'768'473'000'000'000)),
          "granted",
          "domain.create",
          "domain",
          kChain,
          "abababababababababababababababababababababababababababababababab",
          "0190a1b2-0000-7000-8000-000000000001",
          {},
          {},
          std::nullopt};
}
const std::string kPlain =
    R"({"v":1,"chain":"0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b","seq":1,)"
    R"("occurred_at":"2026-01-15T10:30:00.000000Z","reason":"granted",)"
    R"("relation":"domain.create","object_type":"domain",)"
    R"("object_id":"0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b",)"
    R"("subject_pseudonym":"abababababababababababababababababababababababababababababababab",)"
    R"("correlation_id":"0190a1b2-0000-7000-8000-000000000001","relation_path":[],)"
    R"("caveat_context":{},"request_context_hash":null})";

Record odd_record() {
  return {kChain,
          sys_time<microseconds>(microseconds(-1)),
          "caveat_violation",
          "auditor \"quoted\" \\ back",
          "node",
          "tab\tnl\ncr\rbs\bff\fesc\x1b"
          "del\x7f"
          "é€😀/",
          std::string(64, '0'),
          "c-2",
          {"domain:a#admin", "platform:plexsphere#admin"},
          {{"within_time_window", {"start", "end"}}, {"from_cidr", {"cidr"}}},
          "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"};
}
const std::string kOdd =
    R"({"v":1,"chain":"0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b","seq":2,)"
    R"("occurred_at":"1969-12-31T23:59:59.999999Z","reason":"caveat_violation",)"
    R"("relation":"auditor \"quoted\" \\ back","object_type":"node",)"
    R"("object_id":"tab\tnl\ncr\rbs\bff\fesc\u001bdel)"
    "\x7f"
    R"(é€😀/",)"
    R"("subject_pseudonym":"0000000000000000000000000000000000000000000000000000000000000000",)"
    R"("correlation_id":"c-2","relation_path":["domain:a#admin","platform:plexsphere#admin"],)"
    R"("caveat_context":{"from_cidr":["cidr"],"within_time_window":["end","start"]},)"
    R"("request_context_hash":)"
    R"("0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"})";

std::string join(const Canonical& canonical, int seq) {
  return canonical.head + std::to_string(seq) + canonical.tail;
}

TEST_CASE("canonical bytes are as pinned, member by member", "[audit]") {
  CHECK(join(encode(plain_record()), 1) == kPlain);
}

TEST_CASE("canonical bytes escape no more and no less than version 1 says", "[audit]") {
  CHECK(join(encode(odd_record()), 2) == kOdd);
}

TEST_CASE("the hashes of the pinned bytes are as pinned", "[audit]") {
  const std::string first = entry_hash(std::string(32, '\0'), kPlain);
  CHECK(sdk::hex_encode(first) ==
        "b6527ea0b267684a3059a8a62ec1801278b6a1cebb8238a40f2e80c396a4bfb9");
  CHECK(sdk::hex_encode(entry_hash(first, kOdd)) ==
        "5354c9507ebbb5fcd1399016126f28576ce2dbaa2ca6285a00952b79fbf0d602");
}

TEST_CASE("every entry of a chain begins with the chain's head", "[audit]") {
  CHECK(encode(odd_record()).head == canonical_head(kChain));
}

}  // namespace
}  // namespace plexsphere::audit
