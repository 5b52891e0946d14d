// Commands about Nodes, their secret keys and bootstrap tokens, against a server that says what it
// is told to.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "host/apps/plexctl/tests/running.hpp"
#include "host/apps/plexctl/tests/scripted_server.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;
using nlohmann::json;
using Arguments = std::vector<std::string>;

namespace {

constexpr const char* kToken = "psk_test_secret";
const std::string kId = "0197c0de-1111-7222-8333-444455556666";
const std::string kAll = "/v1/admin/nsk/rewrap";
const std::string kOne = "/v1/admin/domains/" + kId + "/nsk/rewrap";

Run at(const ScriptedServer& server, const Arguments& arguments) {
  Run run = plexctl::plexctl(arguments, {server.url(), kToken});
  CHECK_FALSE(contains(run.out + run.err, kToken));
  return run;
}
Run as_json(const ScriptedServer& server, Arguments arguments) {
  arguments.insert(arguments.end(), {"--output", "json"});
  return at(server, arguments);
}

json run_of(const std::string& domain, const std::string& state, int rewrapped) {
  return {{"id", kId},
          {"domain_id", domain},
          {"state", state},
          {"from_version", 1},
          {"to_version", 2},
          {"total", 40},
          {"rewrapped", rewrapped},
          {"requested_at", "2026-11-28T04:00:00Z"}};
}
std::string page(const std::vector<json>& items, const std::string& next = {}) {
  json body{{"items", items}};
  if (!next.empty()) {
    body["next_cursor"] = next;
  }
  return body.dump();
}
std::string asked(const std::string& request) {
  return request + " Bearer " + kToken;
}

}  // namespace

TEST_CASE("a command that names no id, or no whole one, asks nobody", "[plexctl]") {
  const ScriptedServer server;
  for (const std::string& id :
       {std::string(), std::string("x"), std::string(36, '-'), std::string(36, 'a'),
        std::string("../../../domains/0197c0de-1111-7222/"), kId + "0",
        "0" + kId.substr(2) + "g"}) {
    for (const Arguments& command :
         {Arguments{"node", "deregister", id, "--yes"}, Arguments{"nsk", "rewrap", "--domain", id},
          Arguments{"nsk", "rewrap", "--wait", "--domain", id},
          Arguments{"nsk", "status", "--domain", id}, Arguments{"bootstrap-token", "show", id}}) {
      INFO(command[0] << " " << command[1] << " '" << id << "'");
      const Run run = at(server, command);
      CHECK(run.code == 2);
      CHECK_FALSE(run.err.empty());
    }
  }
  for (const Arguments& wrong :
       {Arguments{"node"}, Arguments{"node", "deregister", "--yes"}, Arguments{"nsk"},
        Arguments{"nsk", "rewrap"}, Arguments{"nsk", "rewrap", "--all", "--domain", kId},
        Arguments{"nsk", "status", "--all"}, Arguments{"bootstrap-token", "show"},
        Arguments{"bootstrap-token", "show", kId, kId}}) {
    CHECK(at(server, wrong).code == 2);
  }
  CHECK(server.asked().empty());
}

TEST_CASE("a Node is ended when the operator confirms it, and not before", "[plexctl]") {
  ScriptedServer server;
  const std::string request = "POST /v1/admin/nodes/" + kId + "/deregister";
  server.answer(request, 200, "{}");
  const Run unconfirmed = at(server, {"node", "deregister", kId});
  CHECK(unconfirmed.code == 2);
  CHECK(contains(unconfirmed.err, "--yes"));
  CHECK(server.asked().empty());

  const Run done = at(server, {"node", "deregister", kId, "--yes"});
  CHECK(done.code == 0);
  CHECK(done.out == "deregistered " + kId + "\n");
  CHECK(done.err.empty());
  CHECK(as_json(server, {"node", "deregister", kId, "--yes"}).out == "{}\n");
  CHECK(server.asked() == std::vector<std::string>{asked(request), asked(request)});
}

TEST_CASE("what the server refuses has its exit code, and is told with its correlation id",
          "[plexctl]") {
  for (const auto& [status, code] :
       {std::pair(401, 3), std::pair(403, 77), std::pair(404, 4), std::pair(409, 5),
        std::pair(422, 1), std::pair(501, 6), std::pair(503, 6)}) {
    ScriptedServer server;
    const std::string problem = R"({"code":"no_such_luck","detail":"Not today."})";
    for (const std::string& request :
         {"POST /v1/admin/nodes/" + kId + "/deregister", "POST " + kAll, "POST " + kOne,
          "GET " + kAll + "?limit=200", "GET " + kOne, "GET /v1/admin/bootstrap-tokens/" + kId}) {
      server.answer(request, status, problem);
    }
    for (const Arguments& command :
         {Arguments{"node", "deregister", kId, "--yes"}, Arguments{"nsk", "rewrap", "--all"},
          Arguments{"nsk", "rewrap", "--domain", kId, "--wait"}, Arguments{"nsk", "status"},
          Arguments{"nsk", "status", "--domain", kId}, Arguments{"bootstrap-token", "show", kId}}) {
      INFO(command[0] << " " << command[1] << " " << status);
      const Run run = at(server, command);
      CHECK(run.code == code);
      CHECK(run.out.empty());
      CHECK(contains(run.err, std::to_string(status) + " no_such_luck: Not today."));
      CHECK(contains(run.err, "(correlation id c-1)"));
    }
  }
}

TEST_CASE("a run of the wrap keys is begun for one Domain or for all", "[plexctl]") {
  ScriptedServer server;
  server.answer("POST " + kOne, 202, run_of(kId, "requested", 0).dump());
  server.answer("POST " + kAll, 202, R"({"begun":3})");
  const Run one = at(server, {"nsk", "rewrap", "--domain", kId});
  CHECK(one.code == 0);
  CHECK(one.out.starts_with("DOMAIN_ID "));
  CHECK(contains(one.out,
                 kId + "  requested  1     2   0          40     2026-11-28T04:00:00Z  -\n"));
  CHECK(as_json(server, {"nsk", "rewrap", "--domain", kId}).out.starts_with("{\n  \"domain_id\""));

  CHECK(at(server, {"nsk", "rewrap", "--all"}).out == "runs begun: 3\n");
  CHECK(json::parse(as_json(server, {"nsk", "rewrap", "--all"}).out) == json{{"begun", 3}});
}

TEST_CASE("--wait tells how far the run is, and ends when no key is left", "[plexctl]") {
  ScriptedServer server;
  server.answer("POST " + kOne, 202, run_of(kId, "requested", 0).dump());
  server.answer("GET " + kOne, 200, run_of(kId, "running", 15).dump());
  server.answer("GET " + kOne, 200, run_of(kId, "running", 15).dump());
  server.answer("GET " + kOne, 200, run_of(kId, "resting", 40).dump());
  const Run run = at(server, {"nsk", "rewrap", "--domain", kId, "--wait"});
  CHECK(run.code == 0);
  CHECK(run.err == "plexctl: re-wrapped 15 of 40\nplexctl: re-wrapped 40 of 40\n");
  CHECK(contains(run.out, "resting"));
  CHECK(server.asked().size() == 4);

  server.answer("POST " + kAll, 202, R"({"begun":2})");
  server.answer("GET " + kAll + "?limit=200", 200,
                page({run_of("a", "done", 40), run_of("b", "running", 7)}));
  server.answer("GET " + kAll + "?limit=200", 200,
                page({run_of("a", "done", 40), run_of("b", "done", 40)}));
  const Run all = as_json(server, {"nsk", "rewrap", "--all", "--wait"});
  CHECK(all.code == 0);
  CHECK(all.err == "plexctl: re-wrapped 47 of 80\nplexctl: re-wrapped 80 of 80\n");
  CHECK(json::parse(all.out).at("items").size() == 2);
}

TEST_CASE("the state of the runs is every page of it", "[plexctl]") {
  ScriptedServer server;
  server.answer("GET " + kAll + "?limit=200", 200,
                page({run_of("a", "done", 40), run_of("b", "running", 7)}, "n+x/t="));
  server.answer("GET " + kAll + "?limit=200&cursor=n%2Bx/t%3D", 200,
                page({run_of("c", "requested", 0)}));
  const Run text = at(server, {"nsk", "status"});
  CHECK(text.code == 0);
  CHECK(std::ranges::count(text.out, '\n') == 4);
  CHECK(contains(text.out, "\nc          requested  1     2   0          40 "));
  const json all = json::parse(as_json(server, {"nsk", "status"}).out);
  CHECK(all.at("items").size() == 3);
  CHECK_FALSE(all.contains("next_cursor"));

  server.answer("GET " + kOne, 200, run_of(kId, "done", 40).dump());
  CHECK(contains(at(server, {"nsk", "status", "--domain", kId}).out, "done"));
}

TEST_CASE("a list that is none, or has no end, is an error", "[plexctl]") {
  ScriptedServer odd;
  odd.answer("GET " + kAll + "?limit=200", 200, R"({"items":7})");
  const Run none = at(odd, {"nsk", "status"});
  CHECK(none.code == 1);
  CHECK(contains(none.err, "no items"));

  ScriptedServer endless;
  endless.answer("GET " + kAll + "?limit=200", 200, page({run_of("a", "done", 1)}, "again"));
  endless.answer("GET " + kAll + "?limit=200&cursor=again", 200,
                 page({run_of("a", "done", 1)}, "again"));
  const Run run = at(endless, {"nsk", "status"});
  CHECK(run.code == 1);
  CHECK(contains(run.err, "does not come to an end"));
}

TEST_CASE("a bootstrap token is shown with how it ended and the Node that used it", "[plexctl]") {
  ScriptedServer server;
  const json token{{"id", kId},
                   {"project_id", "p"},
                   {"kind", "node"},
                   {"state", "consumed"},
                   {"expires_at", "2026-11-28T05:00:00Z"},
                   {"consumed_at", "2026-11-28T04:30:00Z"},
                   {"consumed_by_node_id", "n"}};
  server.answer("GET /v1/admin/bootstrap-tokens/" + kId, 200, token.dump());
  const Run text = at(server, {"bootstrap-token", "show", kId});
  CHECK(text.code == 0);
  CHECK(text.out.starts_with("ID "));
  CHECK(contains(text.out,
                 "  p           node  consumed  2026-11-28T05:00:00Z  "
                 "2026-11-28T04:30:00Z  n\n"));
  CHECK(json::parse(as_json(server, {"bootstrap-token", "show", kId}).out) == token);
}
