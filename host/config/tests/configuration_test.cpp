#include "host/config/configuration.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "host/config/duration.hpp"
#include "host/config/secret_file.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::host::config {
namespace {

using namespace std::chrono_literals;  // NOLINT: test

const std::vector<SectionSpec>& sections() {
  static const std::vector<SectionSpec> specs{
      {"http",
       {{.name = "addr", .default_value = Value(std::string(":8080"))},
        {.name = "workers",
         .type = KeyType::kInteger,
         .default_value = Value(std::int64_t{64}),
         .minimum = 1,
         .maximum = 512},
        {.name = "deadline",
         .type = KeyType::kDuration,
         .default_value = Value(30s),
         .minimum = 100,
         .maximum = 600'000},
        {.name = "trusted_proxies", .type = KeyType::kStringList}}},
      {"seal", {{.name = "root_key_file", .type = KeyType::kSecretFile}}}};
  return specs;
}

struct Fixture {
  test_support::TempDir directory;

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0644) {
    const auto path = directory.path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path.string();
  }

  LoadResult read() {
    return load({directory.path() / "plexsphere.toml", true, directory.path() / "conf.d"},
                sections());
  }

  // Loads one main file that has exactly one issue and returns its text.
  std::string only_issue(const std::string& text) {
    write("plexsphere.toml", text);
    const auto result = read();
    REQUIRE(result.issues.size() == 1);
    return result.issues.front().text();
  }

  std::string main() { return (directory.path() / "plexsphere.toml").string(); }
};

TEST_CASE_METHOD(Fixture, "a drop-in wins over the main file key by key", "[config]") {
  write("plexsphere.toml", "[http]\naddr = \":1\"\nworkers = 8\n");
  write("conf.d/20.toml", "[http]\nworkers = 9\n[context.mesh]\nenabled = true\n");
  write("conf.d/10.toml", "[http]\nworkers = 7\ndeadline = \"5s\"\n");
  const auto result = read();
  REQUIRE(result.issues.empty());
  const auto& http = result.configuration.section("http");
  CHECK(http.string("addr") == ":1");
  CHECK(http.integer("workers") == 9);
  CHECK(http.duration("deadline") == 5s);
  CHECK(http.where("workers")->text() == (directory.path() / "conf.d/20.toml").string() + ":2");
  CHECK(result.configuration.enabled("mesh"));
  CHECK_FALSE(result.configuration.enabled("identity"));
}

TEST_CASE_METHOD(Fixture, "an unknown key names its line, its value and the likely name",
                 "[config]") {
  CHECK(only_issue("[http]\naddr = \":1\"\nworker = 8\n") ==
        main() + ":3: [http] has no key 'worker' (8): did you mean 'workers'?");
}

TEST_CASE_METHOD(Fixture, "an unknown section is an error with its line", "[config]") {
  CHECK(only_issue("\n[htpp]\naddr = \":1\"\n") ==
        main() + ":2: there is no section [htpp]: did you mean [http]?");
}

TEST_CASE_METHOD(Fixture, "a value of the wrong type says which type and how to write it",
                 "[config]") {
  CHECK(only_issue("[http]\nworkers = \"many\"\n") ==
        main() + ":2: [http] workers must be of type integer ('many'): write it as workers = 10");
  CHECK(only_issue("[http]\ndeadline = \"5 minutes\"\n").find("must be of type duration") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a value out of bounds names the bound", "[config]") {
  CHECK(only_issue("[http]\nworkers = 0\n") ==
        main() + ":2: [http] workers is out of bounds (0): set it to at least 1");
  CHECK(only_issue("[http]\ndeadline = \"11m\"\n") ==
        main() + ":2: [http] deadline is out of bounds ('11m'): set it to at most 10m");
}

TEST_CASE_METHOD(Fixture, "broken TOML is an error with its line", "[config]") {
  CHECK(only_issue("[http]\naddr = :8080\n").rfind(main() + ":2: ", 0) == 0);
}

TEST_CASE_METHOD(Fixture, "a missing main file is an error unless it is optional", "[config]") {
  CHECK(read().issues.size() == 1);
  const auto optional = load({directory.path() / "absent.toml", false, {}}, sections());
  CHECK(optional.issues.empty());
  CHECK(optional.configuration.section("http").integer("workers") == 64);
}

TEST_CASE_METHOD(Fixture, "every issue is reported, not only the first", "[config]") {
  write("plexsphere.toml", "[http]\nworkers = 0\ncolour = 1\n[nothing]\n");
  CHECK(read().issues.size() == 3);
}

TEST_CASE_METHOD(Fixture, "an unreadable or open secret file is an error where it is named",
                 "[config]") {
  const auto absent = only_issue("[seal]\nroot_key_file = \"absent.key\"\n");
  CHECK(absent.rfind(main() + ":2: [seal] root_key_file: the secret file cannot be read", 0) == 0);
  write("open.key", "secret", 0644);
  CHECK(only_issue("[seal]\nroot_key_file = \"open.key\"\n").find("chmod 0640") !=
        std::string::npos);
  write("empty.key", "", 0600);
  CHECK(only_issue("[seal]\nroot_key_file = \"empty.key\"\n").find("is empty") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a good secret file is read without its last newline", "[config]") {
  const auto path = write("good.key", "abc\n", 0600);
  write("plexsphere.toml", "[seal]\nroot_key_file = \"good.key\"\n");
  const auto result = read();
  REQUIRE(result.issues.empty());
  CHECK(result.configuration.section("seal").string("root_key_file") == path);
  auto secret = read_secret_file(path);
  REQUIRE(secret.ok());
  CHECK(secret->view() == "abc");
}

TEST_CASE_METHOD(Fixture, "a context's keys are checked against its manifest alone", "[config]") {
  const auto manifest = parse_manifest(
      "[plugin]\nid = \"mesh\"\nversion = \"1.0.0\"\nabi = \"1.0\"\nsummary = \"x\"\n"
      "[config.batch]\ntype = \"integer\"\ndefault = 500\nminimum = 1\nmaximum = 5000\n"
      "[config.pepper]\ntype = \"string\"\nrequired = true\n",
      "plugin.toml");
  REQUIRE(manifest.issues.empty());
  write("plexsphere.toml", "[context.mesh]\nenabled = true\nbatch = 0\n");
  auto result = read();
  REQUIRE(result.issues.empty());
  Issues issues;
  const auto settings = result.configuration.context_settings(manifest.manifest, issues);
  REQUIRE(issues.size() == 2);
  CHECK(issues[0].text() ==
        main() + ":3: [context.mesh] batch is out of bounds (0): set it to at least 1");
  CHECK(issues[1].text().rfind(main() + ":1: [context.mesh] pepper is required", 0) == 0);
}

TEST_CASE_METHOD(Fixture,
                 "where a context may go is checked by the host, if the context asks at all",
                 "[config]") {
  const auto issues_of = [this](const std::string& keys, const std::string& asks = "\"*\"") {
    const auto manifest = parse_manifest(
        "[plugin]\nid = \"audit\"\nversion = \"1.0.0\"\nabi = \"1.0\"\nsummary = \"x\"\n"
        "[capabilities]\negress = [" +
            asks + "]\n",
        "plugin.toml");
    REQUIRE(manifest.issues.empty());
    write("plexsphere.toml", "[context.audit]\nenabled = true\n" + keys);
    write("s3.key", "secret", 0600);
    Issues issues;
    const auto settings = read().configuration.context_settings(manifest.manifest, issues);
    std::string text;
    for (const auto& issue : issues) {
      text += issue.text() + "\n";
    }
    return text;
  };
  CHECK(issues_of("").empty());
  CHECK(issues_of("egress = [\"https://s3.example\", \"http://127.0.0.1:8333\"]\n"
                  "egress_access_key_id = \"AKID\"\negress_secret_key_file = \"s3.key\"\n")
            .empty());
  CHECK(issues_of("egress = [\"s3.example:443\"]\n")
            .find(":3: 'egress' has an item that is no "
                  "origin (s3.example:443): write it") != std::string::npos);
  CHECK(issues_of("egress_access_key_id = \"AKID\"\n")
            .find("the key that signs requests is missing") != std::string::npos);
  CHECK(issues_of("egress_secret_key_file = \"s3.key\"\n").find("set egress_access_key_id") !=
        std::string::npos);
  CHECK(issues_of("egress_access_key_id = \"AKID\"\negress_secret_key_file = \"s3.key\"\n"
                  "egress_secret_key_credential = \"s3\"\n")
            .find("named twice") != std::string::npos);
  CHECK(issues_of("egress = [\"https://s3.example\"]\n", "").find("has no key 'egress'") !=
        std::string::npos);
}

TEST_CASE("durations are read and written with one unit", "[config]") {
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("30s") == 30s);
  CHECK(parse_duration("7d") == 168h);
  for (const char* bad : {"", "30", "s", "-1s", "1.5s", "30 s", "1w", "99999999999999999999s"}) {
    CHECK_FALSE(parse_duration(bad).has_value());
  }
  for (const auto value : {0ms, 1ms, 1500ms, 60'000ms, 86'400'000ms}) {
    CHECK(parse_duration(format_duration(value)) == value);
  }
}

}  // namespace
}  // namespace plexsphere::host::config
