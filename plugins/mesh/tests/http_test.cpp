#include <catch2/catch.hpp>

#include "app/ipam_port.hpp"
#include "http/heartbeat_request.hpp"
#include "http/views_json.hpp"
#include "plexsphere/sdk/encoding.hpp"

using namespace plexsphere::mesh;
using namespace std::chrono_literals;
namespace sdk = plexsphere::sdk;

namespace {

constexpr Time kNoon{std::chrono::seconds(1'800'014'400)};  // 2027-01-15T12:00:00Z
const std::string kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const std::string kHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

const std::string kNoEntries = R"({"metadata":[],"data":[],"reports":[]})";

std::string body(const std::string& members) {
  return R"({"client_now":"2027-01-15T12:00:00Z","binary_checksum":")" + kBase64 +
         R"(","binary_version":"1.0")" + members + "}";
}

std::string refusal(const std::string& text) {
  const auto read = read_heartbeat(text);
  return read.ok() ? "accepted" : read.error().reason + ": " + read.error().detail;
}

}  // namespace

TEST_CASE("a checksum is 32 bytes in base64 or lower-case hex", "[mesh][heartbeat]") {
  CHECK(sdk::hex_encode(read_checksum(kBase64)) == kHex);
  CHECK(sdk::hex_encode(read_checksum(kHex)) == kHex);
  CHECK(read_checksum("").empty());
  CHECK(read_checksum(kBase64.substr(0, 43)).empty());
  CHECK(read_checksum(kHex.substr(0, 63) + "g").empty());
  CHECK(read_checksum(std::string(64, 'A')).empty());
  CHECK(read_checksum(kBase64.substr(0, 42) + "==").empty());  // 31 bytes
}

TEST_CASE("a heartbeat is read whole", "[mesh][heartbeat]") {
  const auto read = read_heartbeat(body(R"(,"nat_summary":{"type":"full_cone","hops":[1,2]})"));
  REQUIRE(read.ok());
  CHECK(read->client_now == kNoon);
  CHECK(sdk::hex_encode(read->binary_checksum) == kHex);
  CHECK(read->binary_version == "1.0");
  CHECK(read->nat_summary == R"({"hops":[1,2],"type":"full_cone"})");
}

TEST_CASE("a missing checksum or version is left for the rule that names it", "[mesh][heartbeat]") {
  const auto read = read_heartbeat(R"({"client_now":"2027-01-15T12:00:00Z","nat_summary":{}})");
  REQUIRE(read.ok());
  CHECK(read->binary_checksum.empty());
  CHECK(read->binary_version.empty());
}

TEST_CASE("anything else in a heartbeat is malformed, and the answer says what",
          "[mesh][heartbeat]") {
  const std::string code = "malformed_heartbeat_request: ";
  CHECK(refusal("") == code + "The body is not well-formed JSON.");
  CHECK(refusal("[]") == code + "The heartbeat is refused: the body must be a JSON object.");
  CHECK_THAT(refusal(body("")), Catch::Contains("\"nat_summary\" is missing"));
  CHECK_THAT(refusal(body(R"(,"nat_summary":null)")), Catch::Contains("must be an object"));
  CHECK_THAT(refusal(body(R"(,"nat_summary":{"a":["\u0000"]})")), Catch::Contains("NUL"));
  CHECK_THAT(refusal(body(R"(,"nat_summary":{},"uptime":3)")),
             Catch::Contains("\"uptime\" is not a member"));
  CHECK_THAT(refusal(body(R"(,"nat_summary":{},"nat_summary":{})")),
             Catch::Contains("appears twice"));
  CHECK_THAT(refusal(R"({"client_now":12,"nat_summary":{}})"), Catch::Contains("RFC 3339"));
  CHECK_THAT(refusal(R"({"nat_summary":{}})"), Catch::Contains("\"client_now\" is missing"));
  CHECK_THAT(
      refusal(R"({"client_now":"2027-01-15T12:00:00Z","binary_version":1,"nat_summary":{}})"),
      Catch::Contains("\"binary_version\" must be a string"));
}

TEST_CASE("a snapshot has all six blocks, in one order, with absent fields left out",
          "[mesh][state]") {
  StateSnapshot snapshot;
  snapshot.reachability = {ReachabilityState::unreachable, std::nullopt, kNoon};
  CHECK(state_json(snapshot) ==
        R"({"peers":[],"reachability":{"state":"unreachable","changed_at":"2027-01-15T12:00:00Z"},)"
        R"("policy":null,"bridge":null,"state":)" +
            kNoEntries + R"(,"reports":)" + kNoEntries + "}");
  snapshot.peers = {{"0199-a", "10.0.0.2", kBase64, ""}, {"0199-b", "fd00::2", kBase64, "r:1"}};
  snapshot.reachability = {ReachabilityState::healthy, kNoon + 250ms, kNoon};
  CHECK(state_json(snapshot) ==
        R"({"peers":[{"node_id":"0199-a","mesh_ip":"10.0.0.2","public_key":")" + kBase64 +
            R"("},{"node_id":"0199-b","mesh_ip":"fd00::2","public_key":")" + kBase64 +
            R"(","fallback_endpoint":"r:1"}],)"
            R"("reachability":{"state":"healthy","last_heartbeat_at":"2027-01-15T12:00:00.25Z",)"
            R"("changed_at":"2027-01-15T12:00:00Z"},)"
            R"("policy":null,"bridge":null,"state":)" +
            kNoEntries + R"(,"reports":)" + kNoEntries + "}");
}

TEST_CASE("state and reports are the same three buckets, with an unset tag left out",
          "[mesh][state]") {
  StateSnapshot snapshot;
  snapshot.reachability.changed_at = kNoon;
  snapshot.entries.data = {{"site", "edge", std::nullopt}};
  snapshot.entries.reports = {{"a", "", "web"}, {"b", "é\"", ""}};
  const std::string entries = R"({"metadata":[],"data":[{"key":"site","value":"edge"}],)"
                              R"("reports":[{"key":"a","value":"","workload_tag":"web"},)"
                              R"({"key":"b","value":"é\"","workload_tag":""}]})";
  CHECK_THAT(state_json(snapshot),
             Catch::EndsWith(R"("state":)" + entries + R"(,"reports":)" + entries + "}"));
}

TEST_CASE("a heartbeat's answer has the contract's members", "[mesh][heartbeat]") {
  CHECK(heartbeat_json(kNoon, false) ==
        R"({"accepted_at":"2027-01-15T12:00:00Z","reconcile":false,"rotate_keys":false})");
  CHECK(heartbeat_json(kNoon, true) ==
        R"({"accepted_at":"2027-01-15T12:00:00Z","reconcile":false,"rotate_keys":true})");
}

TEST_CASE("an allocation's refusals get the port's codes and reasons", "[mesh][ipam]") {
  const auto told = [](sdk::Code code, const char* reason) {
    return allocation_refusal({code, reason, ""});
  };
  CHECK(told(sdk::Code::failed_precondition, "pool_exhausted").code ==
        sdk::Code::resource_exhausted);
  CHECK(told(sdk::Code::failed_precondition, "subrange_exhausted").code ==
        sdk::Code::resource_exhausted);
  const auto contention = told(sdk::Code::unavailable, "lock_timeout");
  CHECK(contention.code == sdk::Code::unavailable);
  CHECK(contention.reason == "allocator_contention");
  const sdk::Error other{sdk::Code::unavailable, "", "away"};
  CHECK(allocation_refusal(other) == other);
}
