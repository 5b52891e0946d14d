// What Nodes tell of themselves: endpoint, state reports, capabilities.
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "contract/site.hpp"
#include "plexsphere/sdk/time.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string kChecksum = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const std::string kFingerprint = "SHA256:" + kChecksum.substr(0, 43);
const std::string kDigest = "sha256:" + std::string(64, 'a');

std::string ago(std::chrono::seconds age) {
  return sdk::rfc3339(std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now() - age));
}

json endpoint(const std::string& text, std::chrono::seconds age = 0s) {
  return {{"endpoint", text}, {"nat_type", "full_cone"}, {"reported_at", ago(age)}};
}

json manifest() {
  return {{"binary_version", "1.0"}, {"binary_checksum", kChecksum}};
}

// One Node, its paths, and a look at what it left in the database.
struct Told {
  contract::Site& site = contract::Site::shared();
  sim::Node node = site.enrol();
  contract::Client agent = site.as(node);

  std::string path(const std::string& tail) const { return "/v1/nodes/" + node.id() + tail; }
  contract::Answer put(const std::string& tail, const json& body) const {
    return agent.call("PUT", path(tail), body);
  }
  std::string outcome(const std::string& tail, const json& body) const {
    return put(tail, body).outcome();
  }
  // Sent with a content encoding that the host does not take.
  std::string encoded(const std::string& method, const std::string& tail) const {
    return agent.with_header("Content-Encoding", "br").send(method, path(tail), "{}").outcome();
  }
  // The first four gates, which are the host's, are alike everywhere.
  void refuses_strangers(const std::string& method, const std::string& tail) const {
    const std::string body = "{";
    const auto by = [&](const contract::Client& who) {
      return who.send(method, path(tail), body).outcome();
    };
    CHECK(by(site.anybody()) == "401 unauthorized");
    CHECK(by(agent.as("nsk_plexd_" + std::string(64, 'A'))) == "401 nsk_invalid");
    CHECK(by(agent.as(contract::Site::forged_key(node.id()))) == "401 nsk_invalid");
    CHECK(by(site.as(site.enrol())) == "403 node_id_mismatch");
  }
  void sql(const std::string& text) const { site.sql(text); }
  // A change of the peer that no other context knows of, as if it came after the gate.
  void set_peer(const std::string& change) const {
    sql("UPDATE mesh.peer SET " + change + " WHERE node_id = '" + node.id() + "'");
  }
  int events(const std::string& type) const {
    return site.count("platform.outbox WHERE event_type = '" + type + "' AND aggregate_id = '" +
                      node.id() + "'");
  }
  json last_event(const std::string& type) const {
    return json::parse(site.sql("SELECT payload FROM platform.outbox WHERE event_type = '" + type +
                                "' AND aggregate_id = '" + node.id() +
                                "' ORDER BY id DESC LIMIT 1"));
  }
  // Newest first: the rows of audit on this Node, each as reason and path.
  std::vector<std::string> audit(const std::string& relation) const {
    const auto rows = site.op()
                          .call("GET", "/v1/domains/" + site.domain() +
                                           "/audit/entries?limit=200&relation=" + relation +
                                           "&object_type=node&object_id=" + node.id())
                          .body.at("items");
    std::vector<std::string> out;
    for (const json& row : rows) {
      std::string text = row.at("reason");
      for (const auto& [name, members] : row.at("decision").at("caveat_context").items()) {
        text += " " + name + members.dump();
      }
      out.insert(out.begin(), text);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("PutNodeEndpoint asks its gates in order", "[contract][mesh]") {
  const Told told;
  told.refuses_strangers("PUT", "/endpoint");
  CHECK(told.agent.send("PUT", "/v1/nodes/x/endpoint", "{").outcome() == "400 invalid_id");
  const std::string large = "{" + std::string(4096, ' ');
  CHECK(told.agent.send("PUT", told.path("/endpoint"), large).outcome() ==
        "413 endpoint_body_too_large");
  CHECK(told.encoded("PUT", "/endpoint") == "415 unsupported_content_encoding");
  CHECK(told.agent.send("PUT", told.path("/endpoint"), large.substr(1)).outcome() ==
        "400 malformed_endpoint_request");
  CHECK(told.outcome("/endpoint", {{"endpoint", "x"}}) == "400 malformed_endpoint_request");
  CHECK(told.outcome("/endpoint", endpoint("x", 2min)) == "400 endpoint_clock_skew");
  CHECK(told.outcome("/endpoint", endpoint("x", -2min)) == "400 endpoint_clock_skew");
  CHECK(told.outcome("/endpoint", endpoint("x", 6min)) == "400 endpoint_clock_skew");
  for (const char* text : {"x", "127.0.0.1:1", "[::ffff:127.0.0.1]:1", "[fe80::1]:1",
                           "203.0.113.9:0", "2001:db8::1:1"}) {
    CHECK(told.outcome("/endpoint", endpoint(text)) == "400 endpoint_unparseable");
  }
  // Newest first; the text tells the two kinds of clock_skew apart.
  const auto rows = told.audit("node_endpoint.report");
  REQUIRE(rows.size() == 12);
  CHECK(rows[0] == "caveat_violation unparseable[\"endpoint\"]");
  CHECK(rows[6] == "caveat_violation older_than_ttl[\"reported_at\"]");
  CHECK(rows[7] == "caveat_violation clock_skew[\"reported_at\"]");
  CHECK(told.events("peer_endpoint_changed") == 0);
}

TEST_CASE("PutNodeEndpoint tells of a change once", "[contract][mesh]") {
  const Told told;
  const auto first = told.put("/endpoint", endpoint("[::ffff:203.0.113.9]:51820", 30s));
  REQUIRE(first.outcome() == "200");
  const auto accepted = sdk::parse_rfc3339(first.body.at("accepted_at").get<std::string>());
  CHECK(sdk::parse_rfc3339(first.body.at("stale_after").get<std::string>()) == *accepted + 5min);
  CHECK(told.last_event("peer_endpoint_changed").at("endpoint") == "203.0.113.9:51820");
  CHECK(told.outcome("/endpoint", endpoint("203.0.113.9:51820")) == "200");
  CHECK(told.events("peer_endpoint_changed") == 1);
  CHECK(told.outcome("/endpoint", endpoint("203.0.113.9:51821")) == "200");
  CHECK(told.events("peer_endpoint_changed") == 2);
  CHECK(told.audit("node_endpoint.report") == std::vector<std::string>{"granted", "granted"});
  CHECK_FALSE(told.agent.call("GET", told.path("/state")).body.dump().find("51821") !=
              std::string::npos);  // the state has no member for it
}

TEST_CASE("PutNodeEndpoint knows a peer that is not there from one that left", "[contract][mesh]") {
  const Told told;
  told.set_peer("credential_generation = credential_generation + 1");
  CHECK(told.outcome("/endpoint", endpoint("203.0.113.9:1")) == "401 nsk_revoked");
  told.set_peer("deregistered_at = now()");
  CHECK(told.outcome("/endpoint", endpoint("203.0.113.9:1")) == "410 endpoint_peer_gone");
  told.sql("DELETE FROM mesh.peer WHERE node_id = '" + told.node.id() + "'");
  CHECK(told.outcome("/endpoint", endpoint("203.0.113.9:1")) == "404 endpoint_peer_not_found");
  CHECK(told.audit("node_endpoint.report") ==
        std::vector<std::string>{"out_of_scope", "out_of_scope"});
}

TEST_CASE("PutNodeStateReport shows in the next pull, and DeleteNodeStateReport takes it out",
          "[contract][mesh]") {
  const Told told;
  const auto stored = told.put("/state/reports/b", {{"value", "1"}, {"workload_tag", "web"}});
  REQUIRE(stored.outcome() == "200");
  CHECK(stored.body.at("key") == "b");
  CHECK(told.outcome("/state/reports/a.x-1_", {{"value", std::string(4096, 'x')}}) == "200");
  const auto pull = [&] { return told.agent.call("GET", told.path("/state")).body; };
  const auto state = pull();
  CHECK(state.at("state") == state.at("reports"));
  CHECK(state.at("reports").at("metadata") == json::array());
  CHECK(state.at("reports").at("data") == json::array());
  CHECK(state.at("reports").at("reports").at(0).at("key") == "a.x-1_");
  CHECK(state.at("reports").at("reports").at(1) ==
        json{{"key", "b"}, {"value", "1"}, {"workload_tag", "web"}});
  CHECK(told.outcome("/state/reports/b", {{"value", "2"}}) == "200");
  CHECK(pull().at("reports").at("reports").at(1) == json{{"key", "b"}, {"value", "2"}});
  CHECK(pull().dump() == pull().dump());

  const auto remove = [&](const std::string& key) {
    return told.agent.call("DELETE", told.path("/state/reports/" + key)).outcome();
  };
  CHECK(remove("b") == "204");
  CHECK(remove("b") == "404 report_not_found");
  CHECK(pull().at("state").at("reports").size() == 1);
  CHECK(told.events("node_state_updated") == 0);
}

TEST_CASE("PutNodeStateReport and DeleteNodeStateReport refuse", "[contract][mesh]") {
  const Told told;
  const std::string report = "/state/reports/a";
  told.refuses_strangers("PUT", report);
  told.refuses_strangers("DELETE", report);
  CHECK(told.agent.send("PUT", told.path(report), std::string(33 * 1024, ' ')).outcome() ==
        "413 payload_too_large");
  CHECK(told.agent.send("DELETE", told.path(report), std::string(70 * 1024, ' ')).outcome() ==
        "413 request_body_too_large");
  for (const char* method : {"PUT", "DELETE"}) {
    CHECK(told.encoded(method, report) == "415 unsupported_content_encoding");
  }
  CHECK(told.agent.send("PUT", told.path(report), "{").outcome() == "400 invalid_report");
  CHECK(told.outcome(report, {{"value", std::string(4097, 'x')}}) == "400 invalid_report");
  CHECK(told.outcome(report, {{"value", "v"}, {"ttl", 1}}) == "400 invalid_report");
  CHECK(told.outcome("/state/reports/A", {{"value", "v"}}) == "400 invalid_report");
  CHECK(told.agent.call("DELETE", told.path("/state/reports/A")).outcome() ==
        "404 report_not_found");
  CHECK(told.agent.send("PUT", "/v1/nodes/x/state/reports/a", "{}").outcome() == "400 invalid_id");
  CHECK(told.agent.call("DELETE", "/v1/nodes/x/state/reports/a").outcome() == "400 invalid_id");

  told.set_peer("credential_generation = credential_generation + 1");
  CHECK(told.outcome(report, {{"value", "v"}}) == "401 nsk_revoked");
  CHECK(told.agent.call("DELETE", told.path(report)).outcome() == "401 nsk_revoked");
  told.set_peer("deregistered_at = now()");
  CHECK(told.outcome(report, {{"value", "v"}}) == "404 node_not_found");
  CHECK(told.agent.call("DELETE", told.path(report)).outcome() == "404 report_not_found");
}

TEST_CASE("PutNodeStateReport keeps its quota under concurrent writers", "[contract][mesh]") {
  const Told told;
  std::vector<std::string> outcomes(72);
  std::vector<std::thread> writers;
  for (std::size_t first = 0; first < 8; ++first) {
    writers.emplace_back([&, first] {
      for (std::size_t i = first; i < outcomes.size(); i += 8) {
        outcomes[i] = told.outcome("/state/reports/k" + std::to_string(i), {{"value", "v"}});
      }
    });
  }
  for (auto& writer : writers) {
    writer.join();
  }
  CHECK(std::ranges::count(outcomes, "200") == 64);
  CHECK(std::ranges::count(outcomes, "409 report_quota_exceeded") == 8);
  const auto kept = told.agent.call("GET", told.path("/state")).body.at("reports").at("reports");
  CHECK(kept.size() == 64);
  const std::string key = kept.at(0).at("key");
  CHECK(told.outcome("/state/reports/" + key, {{"value", "w"}}) == "200");
  CHECK(told.agent.call("DELETE", told.path("/state/reports/" + key)).outcome() == "204");
  CHECK(told.outcome("/state/reports/new", {{"value", "v"}}) == "200");
}

TEST_CASE("PutNodeCapabilities refuses in order, with a code for each fault", "[contract][mesh]") {
  const Told told;
  told.refuses_strangers("PUT", "/capabilities");
  CHECK(told.agent.send("PUT", "/v1/nodes/x/capabilities", "{}").outcome() == "400 invalid_id");
  const std::string large = "{" + std::string(32 * 1024, ' ');
  CHECK(told.agent.send("PUT", told.path("/capabilities"), large).outcome() ==
        "413 capabilities_body_too_large");
  CHECK(told.encoded("PUT", "/capabilities") == "415 unsupported_content_encoding");
  CHECK(told.agent.send("PUT", told.path("/capabilities"), large.substr(1)).outcome() ==
        "400 malformed_capabilities_request");
  const auto with = [&](const char* member, const json& value) {
    auto body = manifest();
    body[member] = value;
    return told.outcome("/capabilities", body);
  };
  CHECK(with("builtin_actions", json::array()) == "400 malformed_capabilities_request");
  CHECK(with("binary_version", " ") == "400 binary_version_empty");
  CHECK(with("binary_checksum", "AAAA") == "400 binary_checksum_invalid");
  CHECK(with("ssh_host_key_fingerprint", "MD5:1") == "400 ssh_host_key_fingerprint_invalid");
  const json declared{{"name", "a"}, {"checksum", kChecksum}};
  CHECK(with("declared_hooks", {{{"name", "a"}, {"checksum", ""}}}) == "400 declared_hook_invalid");
  CHECK(with("declared_hooks", {declared, declared}) == "400 declared_hook_duplicate");
  CHECK(with("declared_hooks", json(129, declared)) == "400 declared_hooks_too_many");
  const json found{{"name", "a"}, {"image_digest", kDigest}};
  CHECK(with("plexd_hooks", {{{"name", "a"}, {"image_digest", "latest"}}}) ==
        "422 plexd_hook_invalid");
  CHECK(with("plexd_hooks", {found, found}) == "422 plexd_hook_duplicate");
  CHECK(with("plexd_hooks", json(129, found)) == "422 plexd_hooks_too_many");
  CHECK(told.events("NodeCapabilitiesUpdated") == 0);

  told.set_peer("credential_generation = credential_generation + 1");
  CHECK(told.outcome("/capabilities", manifest()) == "401 nsk_revoked");
  told.set_peer("deregistered_at = now()");
  CHECK(told.outcome("/capabilities", manifest()) == "404 capabilities_node_not_found");
}

TEST_CASE("PutNodeCapabilities tells what changed, and tells others only then",
          "[contract][mesh]") {
  const Told told;
  auto body = manifest();
  body["ssh_host_key_fingerprint"] = kFingerprint;
  const auto first = told.put("/capabilities", body);
  REQUIRE(first.outcome() == "200");
  CHECK(first.body.at("fields_changed") ==
        json{"binary_checksum", "binary_version", "ssh_host_key_fingerprint"});
  CHECK(first.body.at("host_key_changed") == false);
  const auto again = told.put("/capabilities", body);
  CHECK(again.body.at("fields_changed") == json::array());
  CHECK(told.events("NodeCapabilitiesUpdated") == 1);

  body["ssh_host_key_fingerprint"] = "";
  body["plexd_hooks"] = {{{"name", "scan"},
                          {"image_digest", kDigest},
                          {"parameters", {{"depth", "2"}}},
                          {"timeout_seconds", 30},
                          {"sandbox", true}}};
  body["declared_hooks"] = {{{"name", "backup"}, {"checksum", kChecksum}}};
  const auto changed = told.put("/capabilities", body);
  CHECK(changed.body.at("fields_changed") ==
        json{"declared_hooks", "plexd_hooks", "ssh_host_key_fingerprint"});
  CHECK(changed.body.at("host_key_changed") == true);
  const auto event = told.last_event("NodeCapabilitiesUpdated");
  CHECK(event.at("fields_changed") == changed.body.at("fields_changed"));
  CHECK(event.at("host_key_changed") == true);
  CHECK(told.audit("node_capabilities.report") == std::vector<std::string>{"granted", "granted"});
}

TEST_CASE("ListCapabilities pages through a Project, bound to its caller", "[contract][mesh]") {
  contract::Site& site = contract::Site::shared();
  const std::string project = site.deployment().op().create_project(site.domain(), "listed");
  const std::string list = "/v1/projects/" + project + "/capabilities";
  std::vector<std::string> ids;
  for (const std::string handle : {"n1", "n2", "n3"}) {
    const auto op = site.deployment().op();
    op.create_resource(project, handle);
    const auto node =
        sim::Node::enrol(site.url(), {project, handle, op.issue_token(project), sim::make_nonce()});
    ids.push_back(node.id());
    REQUIRE(site.as(node)
                .call("PUT", "/v1/nodes/" + node.id() + "/capabilities", manifest())
                .outcome() == "200");
  }
  std::ranges::sort(ids);
  const auto op = site.op();
  const auto ids_of = [](const contract::Answer& answer) {
    std::vector<std::string> out;
    for (const json& row : answer.body.at("items")) {
      out.push_back(row.at("node_id"));
    }
    return out;
  };
  const auto first = op.call("GET", list + "?limit=2");
  REQUIRE(first.outcome() == "200");
  CHECK(ids_of(first) == std::vector<std::string>{ids[0], ids[1]});
  CHECK(first.body.at("items").at(0).at("status") == "unknown");
  CHECK(first.body.at("items").at(0).at("binary_checksum") == kChecksum);
  const std::string cursor = first.body.at("next_cursor");
  const auto second = op.call("GET", list + "?limit=2&cursor=" + cursor);
  CHECK(ids_of(second) == std::vector<std::string>{ids[2]});
  CHECK_FALSE(second.body.contains("next_cursor"));

  CHECK(ids_of(op.call("GET", list + "?node_id=" + ids[1])) == std::vector<std::string>{ids[1]});
  CHECK(ids_of(op.call("GET", list + "?status=unknown")) == ids);
  CHECK(ids_of(op.call("GET", list + "?status=match")).empty());
  CHECK(ids_of(op.call("GET", list + "?status=drift")).empty());
  const std::string nowhere = std::string("/v1/projects/") + contract::kNobody + "/capabilities";
  CHECK(ids_of(op.call("GET", nowhere)).empty());

  CHECK(op.call("GET", list + "?limit=0").outcome() == "400 invalid_limit");
  CHECK(op.call("GET", list + "?cursor=x").outcome() == "400 invalid_cursor");
  CHECK(op.call("GET", nowhere + "?cursor=" + cursor).outcome() == "400 invalid_cursor");
  CHECK(op.call("GET", list + "?status=good").outcome() == "400 invalid_status");
  CHECK(op.call("GET", list + "?node_id=x").outcome() == "400 invalid_node_id");
  CHECK(op.call("GET", "/v1/projects/x/capabilities").outcome() == "400 invalid_project_id");
  CHECK(site.anybody().call("GET", list).outcome() == "401 unauthenticated");
  CHECK(site.stranger().call("GET", list).outcome() == "403 permission_denied");
  const auto [reader, token] = site.make_user("reader");
  site.grant("platform", "plexsphere", "auditor", reader);
  CHECK(ids_of(op.as(token).call("GET", list)) == ids);
  CHECK(op.as(token).call("GET", list + "?limit=2&cursor=" + cursor).outcome() ==
        "403 cursor_binding_mismatch");
}

TEST_CASE("an endpoint that nobody reports again is told stale once, by one replica",
          "[contract][mesh]") {
  contract::Site site(e2e::Deployment::Options{
      .core_settings = "[context.mesh]\nenabled = true\nendpoint_sweep_interval = \"100ms\"\n",
      .disabled = {"mesh"}});
  site.deployment().start_core();  // a second replica
  const auto node = site.enrol();
  const auto report = [&] {
    return site.as(node)
        .call("PUT", "/v1/nodes/" + node.id() + "/endpoint", endpoint("203.0.113.9:1"))
        .outcome();
  };
  const auto events = [&] {
    return site.count("platform.outbox WHERE event_type = 'peer_endpoint_changed'");
  };
  const auto swept = [&] {
    return site.count("mesh.peer_endpoint WHERE staled_at IS NOT NULL") == 1;
  };
  REQUIRE(report() == "200");
  REQUIRE(events() == 1);
  site.sql("UPDATE mesh.peer_endpoint SET stale_after = now()");
  REQUIRE(test_support::wait_until(20s, swept));
  CHECK(events() == 2);
  CHECK(json::parse(site.sql("SELECT payload FROM platform.outbox WHERE event_type = "
                             "'peer_endpoint_changed' ORDER BY id DESC LIMIT 1"))
            .at("endpoint")
            .is_null());
  REQUIRE(report() == "200");  // the same address, back
  CHECK(events() == 3);
}
