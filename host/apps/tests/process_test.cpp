// What operators and supervisors see of the binaries: flags, files, exit codes, log lines.
#include <csignal>
#include <regex>
#include <sstream>

#include "running.hpp"

namespace plexsphere::host::apps {
namespace {

struct Binary {
  const char* path;
  std::string service;
  int ends_it;
};

const Binary kBinaries[] = {{PLEXSPHERE_BARE, "plexsphere", SIGTERM},
                            {PLEXSPHERE_SIGNER, "plexsphere-signer", SIGINT}};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("--version is one line without a name in front", "[apps]") {
  for (const char* binary : {PLEXSPHERE_CORE, PLEXSPHERE_SIGNER}) {
    const auto done = test_support::run(binary, {"--version"});
    CHECK(done.code == 0);
    CHECK(std::regex_match(done.out, std::regex("version=\\S+ commit=\\S+ date=\\S+\n")));
  }
}

TEST_CASE("a flag that does not exist, or a grace that is none, is exit 1", "[apps]") {
  CHECK(test_support::run(PLEXSPHERE_CORE, {"--nonsense"}).code == 1);
  const auto grace = test_support::run(PLEXSPHERE_CORE, {"--shutdown-grace", "soon"});
  CHECK(grace.code == 1);
  CHECK(has(grace.err, "'soon' is no duration"));
}

TEST_CASE("both binaries serve the same three endpoints and end with 0", "[apps]") {
  for (const Binary& binary : kBinaries) {
    Running running;
    running.write_configuration("[http]\ndrain_delay = \"0s\"\n");
    running.start({}, binary.path);
    CHECK(running.get("/livez").status == 200);
    CHECK(running.get("/readyz").status == 200);
    CHECK(has(running.get("/metrics").body, "plexsphere_build_info{"));
    running.process().signal(binary.ends_it);
    CHECK(running.process().wait(20s) == 0);
    const std::regex line("\\{\"time\":\"[^\"]+\",\"level\":\"[a-z]+\",\"service\":\"" +
                          binary.service + "\",\"event\":.*\\}");
    std::istringstream in(running.process().err());
    for (std::string text; std::getline(in, text);) {
      INFO(text);
      CHECK(std::regex_match(text, line));
    }
  }
}

TEST_CASE("the address file holds the address really bound", "[apps]") {
  Running running;
  running.start();
  CHECK(std::regex_match(running.url(), std::regex("http://127\\.0\\.0\\.1:[1-9][0-9]*")));
}

TEST_CASE("an address that is taken is exit 1 with its name", "[apps]") {
  Running first;
  first.start();
  Running second;
  auto arguments = second.arguments();
  arguments[1] = first.url().substr(7);
  const auto done = test_support::run(PLEXSPHERE_BARE, arguments);
  CHECK(done.code == 1);
  CHECK(has(done.err, arguments[1]));
  CHECK_FALSE(std::filesystem::exists(second.path() / "addr"));
}

TEST_CASE("a configuration that is wrong is exit 1 with file, line and remedy", "[apps]") {
  Running running;
  running.write_configuration("[http]\nwokers = 3\n");
  const auto done = running.run({});
  CHECK(done.code == 1);
  CHECK(has(done.err, "test.toml:5: [http] has no key 'wokers' (3): did you mean 'workers'?"));
  CHECK(running.run({"--check-config"}).code == 1);
  CHECK(test_support::run(PLEXSPHERE_CORE, {"--config", "/nowhere.toml"}).code == 1);
}

TEST_CASE("--check-config judges everything and starts nothing", "[apps]") {
  Running running;
  const auto good = running.run({"--check-config"});
  INFO(good.err);
  CHECK(good.code == 0);
  CHECK(has(good.out, "configuration ok: 1 file(s)"));
  CHECK_FALSE(std::filesystem::exists(running.path() / "addr"));
  running.write_configuration("[http]\nmore_addrs = [\"localhost\", \":8080x\", \"::1:80\"]\n");
  const auto nowhere = running.run({"--check-config"});
  INFO(nowhere.err);
  CHECK(nowhere.code == 1);
  for (const char* wrong : {"localhost)", ":8080x)", "::1:80)"}) {
    CHECK(has(nowhere.err, std::string("no address to listen on (") + wrong));
  }
  running.write_configuration("[context.good]\nenabled = true\ngreeting = \"forbidden\"\n");
  const auto refused = running.run({"--check-config"});
  CHECK(refused.code == 1);
  CHECK(has(refused.err, "greeting must not be 'forbidden'"));
}

TEST_CASE("an essential plugin that cannot run is exit 1 with the reason", "[apps]") {
  Running running;
  std::filesystem::remove(running.path() / "plugins" / "good" / "good.so");
  running.write_configuration("essential = [\"good\"]\n[context.good]\nenabled = true\n");
  const auto done = running.run({});
  CHECK(done.code == 1);
  CHECK(has(done.err, "essential plugin 'good' does not run"));
}

TEST_CASE("the core serves while its database is away, and is not ready", "[apps]") {
  Running running;
  const auto key = running.write("root.key", "0123456789abcdefghijklmnopqrstuv");
  std::filesystem::permissions(key, std::filesystem::perms(0600));
  running.write_configuration(
      "[http]\ndrain_delay = \"0s\"\n[database]\ndsn = \"host=/nonexistent dbname=x user=x\"\n"
      "[seal]\nroot_key_file = \"root.key\"\n[context.good]\nenabled = true\n");
  running.start({}, PLEXSPHERE_CORE);
  CHECK(running.get("/livez").status == 200);
  CHECK(running.get("/v1/good/hello").status == 200);
  const auto ready = running.get("/readyz");
  CHECK(ready.status == 503);
  CHECK(has(ready.body, "\"status\":\"unhealthy\""));
  running.process().terminate();
  CHECK(running.process().wait(20s) == 0);
}

TEST_CASE("the signer refuses every plugin but signing and says so", "[apps]") {
  Running running;
  running.write_configuration("[http]\ndrain_delay = \"0s\"\n");
  running.start({}, PLEXSPHERE_SIGNER);
  CHECK(running.get("/v1/good/hello").status == 404);
  CHECK(running.logs("this process loads only 'signing'"));
  running.process().terminate();
  CHECK(running.process().wait(20s) == 0);
  running.write_configuration("[context.good]\nenabled = true\n");
  CHECK(running.run({}, PLEXSPHERE_SIGNER).code == 1);
}

TEST_CASE("the signer leaves no core and cannot be dumped", "[apps]") {
  Running running;
  running.write_configuration("[http]\ndrain_delay = \"0s\"\n");
  running.start({}, PLEXSPHERE_SIGNER);
  const std::string proc = "/proc/" + std::to_string(running.process().pid());
  const auto limits = test_support::read_file(proc + "/limits");
  CHECK(std::regex_search(limits, std::regex("Max core file size +0 +0 ")));
  running.process().terminate();
  CHECK(running.process().wait(20s) == 0);
}

}  // namespace
}  // namespace plexsphere::host::apps
