// A plugin's life: what it serves while it runs, what is left when it fails or is off.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "rig.hpp"

namespace plexsphere::host::loader {
namespace {

using namespace std::chrono_literals;  // NOLINT: test

const std::string kRoutes = "[capabilities]\nroutes = true\n";

std::string route(const std::string& path) {
  return "[[routes]]\nmethod = \"GET\"\npath = \"" + path +
         "\"\ndisabled_code = \"test_not_provisioned\"\n";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a good plugin answers at once, later, and with problems", "[loader]") {
  Rig rig;
  rig.install("good");
  REQUIRE(rig.discover("[context.good]\nenabled = true\ngreeting = \"hi\"\n").empty());
  REQUIRE(rig.start().ok());
  CHECK(rig.state_of("good") == "running: ");
  CHECK(rig.get("/v1/good/hello").body == "{\"greeting\":\"hi\"}");
  CHECK(rig.get("/v1/good/later").body == "{\"later\":true}");
  CHECK(rig.call("POST", "/v1/good/echo", "abc").body == "abc");

  const auto refused = rig.get("/v1/good/refused?x=1");
  CHECK(refused.status == 409);
  CHECK(refused.headers.at("Content-Type") == "application/problem+json");
  CHECK(refused.headers.at("Retry-After") == "3");
  const auto problem = nlohmann::json::parse(refused.body);
  CHECK(problem["type"] == "https://plexsphere.com/errors/thing-taken");
  CHECK(problem["title"] == "Conflict");
  CHECK(problem["status"] == 409);  // a member cannot replace it
  CHECK(problem["instance"] == "/v1/good/refused");
  CHECK(problem["code"] == "thing_taken");
  CHECK(problem["dimension"] == "things");
  CHECK(problem["correlation_id"] == refused.headers.at("X-Correlation-Id"));
}

TEST_CASE("path ids are checked and decoded before the handler sees them", "[loader]") {
  Rig rig;
  rig.install("good");
  REQUIRE(rig.run({"good"}).ok());
  const std::string id = "0198f000-0000-7000-8000-00000000000a";
  CHECK(rig.get("/v1/good/things/" + id).body == id);
  for (const char* bad : {"7", "00000000-0000-0000-0000-000000000000", "%00", "a%2Fb"}) {
    const auto answer = rig.get(std::string("/v1/good/things/") + bad);
    CHECK(answer.status >= 400);
    CHECK(answer.status <= 404);
  }
  CHECK(has(rig.get("/v1/good/things/7").body, "\"invalid_thing_id\""));
}

TEST_CASE("a body above the route's ceiling is a 413 with the route's code", "[loader]") {
  Rig rig;
  rig.install("good");
  REQUIRE(rig.run({"good"}).ok());
  CHECK(rig.call("POST", "/v1/good/echo", std::string(64, 'x')).status == 200);
  const auto over = rig.call("POST", "/v1/good/echo", std::string(65, 'x'));
  CHECK(over.status == 413);
  CHECK(has(over.body, "\"echo_too_large\""));
  CHECK(rig.call("POST", "/v1/good/echo", std::string(300'000, 'x')).status == 413);
}

TEST_CASE("a route that this version does not build answers its 501 while the rest runs",
          "[loader]") {
  Rig rig;
  rig.install("good");
  REQUIRE(rig.run({"good"}).ok());
  const auto answer = rig.get("/v1/good/unbuilt");
  CHECK(answer.status == 501);
  CHECK(has(answer.body, "\"unbuilt_not_provisioned\""));
}

TEST_CASE("a disabled context answers 501 with its code and is not loaded", "[loader]") {
  Rig rig;
  rig.install("good");
  std::filesystem::remove(rig.plugins() / "good" / "good.so");  // not even there
  REQUIRE(rig.run({}).ok());
  CHECK(rig.state_of("good") == "disabled: ");
  const auto answer = rig.get("/v1/good/hello");
  CHECK(answer.status == 501);
  CHECK(has(answer.body, "\"good_not_provisioned\""));
  CHECK(rig.call("POST", "/v1/good/hello").status == 405);
  CHECK(rig.call("POST", "/v1/good/echo", std::string(100'000, 'x')).status == 501);
}

TEST_CASE("a plugin judges its configuration before it is created", "[loader]") {
  Rig rig;
  rig.install("good");
  REQUIRE(rig.discover("[context.good]\nenabled = true\ngreeting = \"forbidden\"\n").empty());
  const auto problems = rig.manager().validate({});
  REQUIRE(problems.size() == 1);
  CHECK(has(problems[0], "greeting must not be 'forbidden': choose another"));
}

TEST_CASE("an exception out of create fails that plugin only", "[loader]") {
  Rig rig;
  rig.install("good");
  rig.install("throwing_create", kRoutes + route("/v1/thrown"));
  REQUIRE(rig.run({"good", "throwing_create"}).ok());
  CHECK(has(rig.state_of("throwing_create"), "failed: "));
  CHECK(has(rig.state_of("throwing_create"), "an exception left the plugin"));
  CHECK(rig.get("/v1/thrown").status == 501);
  CHECK(rig.get("/v1/good/hello").status == 200);
  const auto report = rig.health().check();
  CHECK(report.ready());
  CHECK(report.state() == health::State::kDegraded);
  CHECK(has(health::to_json(report), "throwing_create"));
}

TEST_CASE("an exception out of a handler is a 500 and the host goes on", "[loader]") {
  Rig rig;
  rig.install("throwing_handler", kRoutes + route("/v1/bad/throws") + route("/v1/bad/late") +
                                      route("/v1/bad/twice") + route("/v1/bad/split"));
  REQUIRE(rig.run({"throwing_handler"}).ok());
  for (int i = 0; i < 3; ++i) {
    const auto answer = rig.get("/v1/bad/throws");
    CHECK(answer.status == 500);
    CHECK(has(answer.body, "\"code\":\"internal\""));
  }
  CHECK(rig.get("/v1/bad/late").status == 204);
  CHECK(rig.log().will_contain("http.handler_threw"));
}

TEST_CASE("a second completion is ignored, logged and counted", "[loader]") {
  Rig rig;
  rig.install("throwing_handler", kRoutes + route("/v1/bad/throws") + route("/v1/bad/late") +
                                      route("/v1/bad/twice") + route("/v1/bad/split"));
  REQUIRE(rig.run({"throwing_handler"}).ok());
  CHECK(rig.get("/v1/bad/twice").status == 204);
  CHECK(rig.log().will_contain("http.second_completion"));
  CHECK(has(rig.metrics().render(), "plexsphere_http_second_completions_total 1"));
}

TEST_CASE("a header with a line break never reaches the client", "[loader]") {
  Rig rig;
  rig.install("throwing_handler", kRoutes + route("/v1/bad/throws") + route("/v1/bad/late") +
                                      route("/v1/bad/twice") + route("/v1/bad/split"));
  REQUIRE(rig.run({"throwing_handler"}).ok());
  const auto answer = rig.get("/v1/bad/split");
  CHECK(answer.status == 500);
  CHECK(answer.headers.count("Set-Cookie") == 0);
}

TEST_CASE("a route that the manifest does not list fails the plugin", "[loader]") {
  Rig rig;
  rig.install("stray_route", kRoutes);
  REQUIRE(rig.run({"stray_route"}).ok());
  CHECK(has(rig.state_of("stray_route"),
            "registered route GET /v1/stray which its plugin.toml does not list"));
  CHECK(rig.get("/v1/stray").status == 404);
}

TEST_CASE("a route that the plugin does not register fails the plugin", "[loader]") {
  Rig rig;
  rig.install("stray_route", kRoutes + route("/v1/stray") + route("/v1/promised"));
  REQUIRE(rig.run({"stray_route"}).ok());
  CHECK(has(rig.state_of("stray_route"), "did not register route GET /v1/promised"));
  CHECK(rig.get("/v1/stray").status == 501);
}

TEST_CASE("a plugin gets no router without the capability", "[loader]") {
  Rig rig;
  rig.install("good");
  auto manifest = test_support::read_file(rig.plugins() / "good" / "plugin.toml");
  manifest.resize(manifest.find("[[routes]]"));
  manifest.replace(manifest.find("routes = true"), 13, "routes = false");
  rig.install_manifest("good", "[config.greeting]\ntype = \"string\"\ndefault = \"hi\"\n");
  REQUIRE(rig.run({"good"}).ok());
  CHECK(has(rig.state_of("good"), "px.router/1 is not offered to this plugin"));
}

TEST_CASE("a failed start is followed by stop and destroy", "[loader]") {
  ::unsetenv("PLEXSPHERE_TEST_FAILING_START");
  Rig rig;
  rig.install("failing_start", kRoutes + route("/v1/failing"));
  REQUIRE(rig.run({"failing_start"}).ok());
  CHECK(has(rig.state_of("failing_start"), "out_of_luck: the start is made to fail"));
  const char* trace = std::getenv("PLEXSPHERE_TEST_FAILING_START");
  REQUIRE(trace != nullptr);
  CHECK(std::string(trace) == "stopped,destroyed");
  CHECK(rig.get("/v1/failing").status == 501);
}

TEST_CASE("a second copy of a plugin is the second copy, not the first again", "[loader]") {
  // The dynamic linker finds loaded libraries by name, and the name is a descriptor number.
  Rig first;
  first.install("good");
  REQUIRE(first.run({"good"}).ok());
  Rig second;
  second.install("stray_route", kRoutes + route("/v1/stray"));
  REQUIRE(second.run({"stray_route"}).ok());
  CHECK(second.state_of("stray_route") == "running: ");
  CHECK(second.get("/v1/stray").status == 204);
}

TEST_CASE("the deadline answers 503 for a handler that waits and for one that blocks", "[loader]") {
  Rig rig;
  rig.install("good");
  REQUIRE(rig.discover("[context.good]\nenabled = true\n").empty());
  REQUIRE(rig.start({100ms, {}}).ok());
  const auto waits = rig.get("/v1/good/never");
  CHECK(waits.status == 503);
  CHECK(has(waits.body, "\"request_deadline_exceeded\""));
  const auto began = std::chrono::steady_clock::now();
  const auto blocks = rig.get("/v1/good/slow?ms=2000");
  CHECK(blocks.status == 503);
  CHECK(std::chrono::steady_clock::now() - began < 1500ms);
  CHECK(rig.get("/v1/good/hello").status == 200);
}

}  // namespace
}  // namespace plexsphere::host::loader
