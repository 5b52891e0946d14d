// Rotation of mesh keys over HTTP: who may ask, what is refused in which order, what is told once.
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "contract/site.hpp"
#include "plexsphere/sdk/time.hpp"

using namespace plexsphere;
using contract::Answer;
using contract::Site;
using nlohmann::json;

namespace {

constexpr auto kComplete = "/v1/keys/rotate";

json new_key() {
  return {{"new_public_key", sim::make_mesh_key().public_key}};
}

// One Node of a Site and those who rotate its key.
struct Rotating {
  Site& site = Site::shared();
  sim::Node node = site.enrol();
  contract::Client agent = site.as(node);
  std::string path = "/v1/nodes/" + node.id() + "/keys/rotate";

  Answer ask() const { return site.op().call("POST", path); }
  Answer preview() const { return site.op().call("GET", path + "/preview"); }
  Answer complete(const json& body) const { return agent.call("POST", kComplete, body); }
  // What others were told of the Node.
  int told(const std::string& event) const {
    return site.count("platform.outbox WHERE event_type = '" + event + "' AND aggregate_id = '" +
                      node.id() + "'");
  }
  int audited(const std::string& action) const {
    return site.count("audit.audit_log_entry WHERE relation = '" + action + "' AND object_id = '" +
                      node.id() + "'");
  }
  bool hinted() const {
    const auto now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    const json body{{"client_now", sdk::rfc3339(now)},
                    {"binary_checksum", std::string(43, 'A') + "="},
                    {"binary_version", "1.0"},
                    {"nat_summary", json::object()}};
    const auto answer = agent.call("POST", "/v1/nodes/" + node.id() + "/heartbeat", body);
    REQUIRE(answer.outcome() == "200");
    return answer.body.at("rotate_keys");
  }
};

}  // namespace

TEST_CASE("a rotation is asked for once, hinted until it ends, and answered with one receipt",
          "[contract]") {
  const Rotating it;
  const auto bystander = it.site.enrol();
  CHECK_FALSE(it.hinted());
  CHECK(it.complete(new_key()).outcome() == "409 keys_rotate_no_pending_rotation");

  const auto foreseen = it.preview();
  CHECK(foreseen.outcome() == "200");
  CHECK_FALSE(foreseen.body.at("already_pending").get<bool>());

  const auto asked = it.ask();
  REQUIRE(asked.outcome() == "200");
  CHECK_FALSE(asked.body.at("already_pending").get<bool>());
  CHECK(asked.body.at("peer_id") == foreseen.body.at("peer_id"));
  const auto again = it.ask();
  CHECK(again.body.at("already_pending").get<bool>());
  CHECK(again.body.at("rotation_id") == asked.body.at("rotation_id"));
  CHECK(it.told("rotate_keys") == 1);
  CHECK(it.audited("node.key_rotation_request") == 1);
  CHECK(it.hinted());
  CHECK(it.preview().body.at("already_pending").get<bool>());

  CHECK(it.complete({{"new_public_key", it.node.key().public_key}}).outcome() ==
        "422 keys_rotate_public_key_unchanged");
  const json key = new_key();
  const auto receipt = it.complete(key);
  REQUIRE(receipt.outcome() == "200");
  CHECK(receipt.body.at("rotation_id") == asked.body.at("rotation_id"));
  CHECK(it.complete(key).body == receipt.body);
  CHECK(it.told("peer_key_rotated") == 1);
  CHECK(it.audited("node.key_rotation_complete") == 1);
  CHECK_FALSE(it.hinted());
  CHECK(it.complete(new_key()).outcome() == "409 keys_rotate_no_pending_rotation");

  for (const auto& peer : bystander.state().at("peers")) {
    if (peer.at("node_id") == it.node.id()) {
      CHECK(peer.at("public_key") == key.at("new_public_key"));
    }
  }
  CHECK(it.site.count("mesh.node_secret WHERE node_id = '" + it.node.id() +
                      "' AND retired_at IS NULL AND kid::text = '" +
                      receipt.body.at("kid").get<std::string>() + "'") == 1);
}

TEST_CASE("a preview names the secret of every edge and changes nothing", "[contract]") {
  const Rotating it;
  const auto other = it.site.enrol();
  const auto kid_of = [&](const std::string& node) {
    return it.site.sql("SELECT kid FROM mesh.node_secret WHERE retired_at IS NULL AND node_id = '" +
                       node + "'");
  };
  const auto edge_to = [](const Answer& preview, const std::string& node) {
    for (const auto& edge : preview.body.at("affected_edges")) {
      if (edge.at("peer_node_id") == node) {
        return edge;
      }
    }
    return json();
  };
  const auto preview = it.preview();
  REQUIRE(preview.outcome() == "200");
  CHECK(preview.body.at("affected_peer_count") == preview.body.at("affected_edges").size());
  CHECK(preview.body.at("affected_peer_count") ==
        it.site.count("mesh.peer WHERE deregistered_at IS NULL") - 1);
  CHECK(preview.body.at("estimated_duration_seconds") == 90);
  const auto edge = edge_to(preview, other.id());
  const auto own = kid_of(it.node.id());
  const auto theirs = kid_of(other.id());
  CHECK(edge.at("current_kid") ==
        (it.node.id() < other.id() ? own + "." + theirs : theirs + "." + own));
  CHECK(edge.at("current_wrap_key_version") == 1);
  CHECK(edge_to(preview, it.node.id()).is_null());

  CHECK(it.told("rotate_keys") == 0);
  CHECK(it.site.count("mesh.peer_key_rotation WHERE node_id = '" + it.node.id() + "'") == 0);
  CHECK(it.audited("node-operate") == 1);  // the decision, and nothing beside it
}

TEST_CASE("who may not operate the Node learns nothing of it", "[contract]") {
  const Rotating it;
  const std::string nobody = std::string("/v1/nodes/") + contract::kNobody + "/keys/rotate";
  for (const auto& [method, tail] : {std::pair("POST", ""), std::pair("GET", "/preview")}) {
    const auto outcome = [&, m = method, t = tail](const contract::Client& who,
                                                   const std::string& path) {
      return who.call(m, path + t).outcome();
    };
    CHECK(outcome(it.site.anybody(), it.path) == "401 unauthenticated");
    CHECK(outcome(it.agent, it.path) == "401 unauthenticated");
    CHECK(outcome(it.site.stranger(), it.path) == "403 permission_denied");
    CHECK(outcome(it.site.stranger(), nobody) == "403 permission_denied");
    CHECK(outcome(it.site.op(), nobody) == "404 node_not_found");
    CHECK(outcome(it.site.op(), "/v1/nodes/x/keys/rotate") == "400 invalid_id");
  }
  CHECK(it.told("rotate_keys") == 0);
  // The denied request is on record, as what it was.
  CHECK(it.site.count("audit.audit_log_entry WHERE relation = 'node-operate' AND reason <> "
                      "'granted' AND object_id = '" +
                      it.node.id() + "'") == 2);

  auto [user, token] = it.site.make_user("deployer");
  it.site.grant("project", it.site.project(), "operator", user);
  CHECK(it.site.op().as(token).call("POST", it.path).outcome() == "200");
}

TEST_CASE("a new key is refused for who sends it, then its size, its form, and what it is",
          "[contract]") {
  const Rotating it;
  const std::string large = json{{"new_public_key", std::string(4096, 'A')}}.dump();
  const auto sent = [&](const contract::Client& who, const std::string& body) {
    return who.send("POST", kComplete, body).outcome();
  };
  CHECK(sent(it.site.anybody(), large) == "401 unauthorized");
  CHECK(sent(it.site.op(), large) == "401 unauthorized");
  CHECK(sent(it.site.op().as(Site::forged_key(it.node.id())), large) == "401 nsk_invalid");
  CHECK(sent(it.agent, large) == "413 keys_rotate_body_too_large");
  CHECK(sent(it.agent, "{") == "400 malformed_keys_rotate_request");
  json extra = new_key();
  extra["node_id"] = it.node.id();
  CHECK(sent(it.agent, extra.dump()) == "400 malformed_keys_rotate_request");
  const auto with = [&](const std::string& bytes) {
    return sent(it.agent, json{{"new_public_key", sdk::base64_encode(bytes)}}.dump());
  };
  // Before anything is read: nothing is pending, and still it is the key that is wrong.
  CHECK(with(std::string(31, 'k')) == "422 keys_rotate_public_key_invalid");
  CHECK(with(std::string(32, '\0')) == "422 keys_rotate_public_key_invalid");
  CHECK(with(std::string(32, 'k')) == "409 keys_rotate_no_pending_rotation");
}

TEST_CASE("a key whose credential changed meanwhile, or whose peer is gone, rotates nothing",
          "[contract]") {
  const Rotating it;
  REQUIRE(it.ask().outcome() == "200");
  const std::string where = " WHERE node_id = '" + it.node.id() + "'";
  it.site.sql("UPDATE mesh.peer SET credential_revoked_at = now()" + where);
  CHECK(it.complete(new_key()).outcome() == "401 nsk_revoked");
  it.site.sql("UPDATE mesh.peer SET credential_revoked_at = NULL, deregistered_at = now()" + where);
  CHECK(it.complete(new_key()).outcome() == "404 keys_rotate_peer_not_found");
  CHECK(it.ask().outcome() == "404 node_not_found");
  CHECK(it.preview().outcome() == "404 node_not_found");
  CHECK(it.told("peer_key_rotated") == 0);
}

TEST_CASE("many requests and many completions at once make one of each", "[contract]") {
  const Rotating it;
  constexpr std::size_t kMany = 12;
  const auto at_once = [&](auto call) {
    std::vector<std::string> bodies(kMany);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kMany; ++i) {
      threads.emplace_back([&, i] {
        try {
          bodies[i] = call();
        } catch (const std::exception& e) {
          bodies[i] = e.what();
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    return std::set<std::string>(bodies.begin(), bodies.end());
  };
  const auto rotations = at_once([&] {
    const auto answer = it.ask();
    return answer.outcome() + " " + answer.body.value("rotation_id", "");
  });
  CHECK(rotations.size() == 1);
  CHECK(it.told("rotate_keys") == 1);

  const json key = new_key();
  const auto receipts = at_once([&] { return it.complete(key).body.dump(); });
  CHECK(receipts.size() == 1);
  CHECK(it.told("peer_key_rotated") == 1);
  CHECK(it.site.count("mesh.node_secret WHERE node_id = '" + it.node.id() + "'") == 2);
}
