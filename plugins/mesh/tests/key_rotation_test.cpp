#include <catch2/catch.hpp>

#include "domain/key_rotation.hpp"
#include "http/rotation_json.hpp"
#include "http/rotation_request.hpp"
#include "http/rotation_routes.hpp"
#include "plexsphere/sdk/encoding.hpp"

using namespace plexsphere::mesh;
using namespace std::chrono_literals;
namespace sdk = plexsphere::sdk;

namespace {

const std::string kOld(32, '\1');
const std::string kNew(32, '\2');

std::string body(const std::string& key) {
  return R"({"new_public_key":")" + sdk::base64_encode(key) + "\"}";
}

std::string refusal(const std::string& text) {
  const auto read = read_new_key(text);
  return read.ok() ? "accepted" : read.error().reason;
}

}  // namespace

TEST_CASE("a mesh key is 32 bytes and not all zero", "[mesh][rotation]") {
  CHECK(valid_mesh_key(kNew));
  CHECK(valid_mesh_key(std::string(31, '\0') + '\1'));
  CHECK_FALSE(valid_mesh_key(std::string(32, '\0')));
  CHECK_FALSE(valid_mesh_key(std::string(31, '\1')));
  CHECK_FALSE(valid_mesh_key(""));
}

TEST_CASE("a new key completes what pends, and a lost answer is told again", "[mesh][rotation]") {
  RotationFacts facts{kOld, std::nullopt, std::nullopt};
  CHECK(judge_rotation(facts, kNew) == RotationVerdict::no_pending);
  CHECK(judge_rotation(facts, kOld) == RotationVerdict::no_pending);
  facts.pending_rotation = "r1";
  CHECK(judge_rotation(facts, kNew) == RotationVerdict::complete);
  CHECK(judge_rotation(facts, kOld) == RotationVerdict::key_unchanged);

  facts = {kNew, std::nullopt, RotationFacts::Completed{kNew, {"r1", {"k2", 1}}}};
  CHECK(judge_rotation(facts, kNew) == RotationVerdict::repeat_receipt);
  CHECK(judge_rotation(facts, kOld) == RotationVerdict::no_pending);
  // Asked for again meanwhile: the same key is no answer to that.
  facts.pending_rotation = "r2";
  CHECK(judge_rotation(facts, kNew) == RotationVerdict::key_unchanged);
  CHECK(judge_rotation(facts, kOld) == RotationVerdict::complete);
}

TEST_CASE("the secret between two Nodes has one name from either end", "[mesh][rotation]") {
  const SecretReference first{"k1", 3};
  const SecretReference second{"k2", 2};
  CHECK(edge_kid("a", first, "b", second) == "k1.k2");
  CHECK(edge_kid("b", second, "a", first) == "k1.k2");
  CHECK(edge_wrap_key_version(first, second) == 2);
  CHECK(edge_kid("a", {}, "b", second) == "none.k2");
  CHECK(edge_wrap_key_version({}, second) == 0);
}

TEST_CASE("a rotation is estimated from the heartbeat and the poll", "[mesh][rotation]") {
  CHECK(estimate_rotation(30s, 0) == 30s);
  CHECK(estimate_rotation(1500ms, 3) == 62s);
}

TEST_CASE("a new key is read strictly, then judged as a key", "[mesh][rotation]") {
  CHECK(read_new_key(body(kNew)).value() == kNew);
  for (const auto* text : {"", "[]", "{}", R"({"new_public_key":null})", R"({"new_public_key":7})",
                           R"({"new_public_key":"AA==","node_id":"x"})",
                           R"({"new_public_key":"AA==","new_public_key":"AA=="})"}) {
    CHECK(refusal(text) == "malformed_keys_rotate_request");
  }
  CHECK(refusal(R"({"new_public_key":""})") == "keys_rotate_public_key_invalid");
  CHECK(refusal(R"({"new_public_key":"not base64"})") == "keys_rotate_public_key_invalid");
  CHECK(refusal(body(std::string(31, '\1'))) == "keys_rotate_public_key_invalid");
  CHECK(refusal(body(std::string(33, '\1'))) == "keys_rotate_public_key_invalid");
  CHECK(refusal(body(std::string(32, '\0'))) == "keys_rotate_public_key_invalid");
}

TEST_CASE("the answers of a rotation have the contract's members", "[mesh][rotation]") {
  CHECK(receipt_json({"r1", {"k1", 2}}) ==
        R"({"rotation_id":"r1","kid":"k1","wrap_key_version":2})");
  const auto id = *sdk::Uuid::parse("01990000-0000-7000-8000-00000000000a");
  const auto peer = *sdk::Uuid::parse("01990000-0000-7000-8000-0000000000aa");
  CHECK(rotation_json({id, peer, true}) ==
        R"({"rotation_id":"01990000-0000-7000-8000-00000000000a",)"
        R"("peer_id":"01990000-0000-7000-8000-0000000000aa","already_pending":true})");
  const std::string other = "01990000-0000-7000-8000-00000000000b";
  CHECK(preview_json({id, {{peer, id}, {"k1", 1}, false, {{other, {"k2", 1}}}}, 90s}) ==
        R"({"node_id":"01990000-0000-7000-8000-00000000000a",)"
        R"("peer_id":"01990000-0000-7000-8000-0000000000aa","affected_peer_count":1,)"
        R"("affected_edges":[{"peer_node_id":"01990000-0000-7000-8000-00000000000b",)"
        R"("current_kid":"k1.k2","current_wrap_key_version":1}],)"
        R"("already_pending":false,"estimated_duration_seconds":90})");
}

TEST_CASE("a refused completion has the contract's status and code", "[mesh][rotation]") {
  const auto told = [](const char* reason) {
    const auto problem = completion_refusal({sdk::Code::failed_precondition, reason, "x"});
    return problem ? std::to_string(problem->status) + " " + problem->code : "none";
  };
  CHECK(told("nsk_revoked") == "401 nsk_revoked");
  CHECK(told("node_not_found") == "404 keys_rotate_peer_not_found");
  CHECK(told("no_pending_rotation") == "409 keys_rotate_no_pending_rotation");
  CHECK(told("public_key_unchanged") == "422 keys_rotate_public_key_unchanged");
  CHECK(told("datastore_unavailable") == "none");
}
