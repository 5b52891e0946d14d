// What plexctl decides before it asks anybody, and how it words what it was told.
#include <catch2/catch.hpp>

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "host/apps/plexctl/failure.hpp"
#include "host/apps/plexctl/table.hpp"
#include "host/apps/plexctl/tests/running.hpp"
#include "support/temp_dir.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;

namespace {

const Environment kNowhere{"http://127.0.0.1:1", "psk_test_token"};

Run with_token_file(const std::filesystem::path& path) {
  return plexctl::plexctl({"whoami", "--token-file", path.string()}, kNowhere);
}

}  // namespace

TEST_CASE("wrong usage is exit code 2", "[plexctl]") {
  using Arguments = std::vector<std::string>;
  for (const Arguments& wrong :
       {Arguments{}, Arguments{"dance"}, Arguments{"plugins"}, Arguments{"whoami", "--nope"},
        Arguments{"whoami", "extra"}, Arguments{"version", "--output", "yaml"}}) {
    const Run run = plexctl::plexctl(wrong, kNowhere);
    CHECK(run.code == 2);
    CHECK_FALSE(run.err.empty());
  }
}

TEST_CASE("the version needs no server", "[plexctl]") {
  const Run flag = plexctl::plexctl({"--version"});
  CHECK(flag.code == 0);
  CHECK(flag.out.starts_with("version="));
  CHECK(std::count(flag.out.begin(), flag.out.end(), '\n') == 1);
  CHECK(plexctl::plexctl({"version"}).out == flag.out);
  const auto facts = nlohmann::json::parse(plexctl::plexctl({"version", "--output", "json"}).out);
  CHECK(facts.size() == 3);
  CHECK(flag.out == "version=" + facts.at("version").get<std::string>() +
                        " commit=" + facts.at("commit").get<std::string>() +
                        " date=" + facts.at("date").get<std::string>() + "\n");
}

TEST_CASE("a server must be named, by a URL that names nothing else", "[plexctl]") {
  CHECK(contains(plexctl::plexctl({"whoami"}, {"", "t"}).err, "PLEXSPHERE_URL"));
  CHECK(plexctl::plexctl({"whoami"}, {"", "t"}).code == 2);
  for (const char* wrong : {"localhost:8080", "ftp://h", "https://", "https://h:99999",
                            "https://h/?a=b", "https://h/#a", "//h"}) {
    INFO(wrong);
    CHECK(plexctl::plexctl({"whoami", "--server", wrong}, {"", "t"}).code == 2);
  }
  const Run user = plexctl::plexctl({"whoami", "--server", "https://me:hunter2@h"}, {"", "t"});
  CHECK(user.code == 2);
  CHECK_FALSE(contains(user.err, "hunter2"));
}

TEST_CASE("the flag wins over the environment, before and after the command", "[plexctl]") {
  const Server server = resolve_server("https://[2001:db8::1]:8443/cp/", {"http://other", ""});
  CHECK(server.tls);
  CHECK(server.host == "2001:db8::1");
  CHECK(server.port == 8443);
  CHECK(server.prefix == "/cp");
  CHECK(resolve_server("", {"https://h", ""}).port == 443);
  CHECK(resolve_server("", {"http://h/", ""}).prefix.empty());
  const Environment other{"https://unused.invalid", "t"};
  for (const auto& arguments :
       {std::vector<std::string>{"--server", "http://127.0.0.1:1", "whoami"},
        std::vector<std::string>{"whoami", "--server", "http://127.0.0.1:1"}}) {
    const Run run = plexctl::plexctl(arguments, other);
    CHECK(run.code == 6);
    CHECK(contains(run.err, "127.0.0.1:1"));
  }
}

TEST_CASE("a token file is one line in a regular file of its owner's", "[plexctl]") {
  const test_support::TempDir files;
  const auto token = files.write("token", "psk_test_secret\n");
  const Run open = with_token_file(token);
  CHECK(open.code == 2);
  CHECK(contains(open.err, "chmod 600"));
  for (const mode_t mode : {0640, 0604, 0620}) {
    ::chmod(token.c_str(), mode);
    CHECK(with_token_file(token).code == 2);
  }
  ::chmod(token.c_str(), 0600);
  CHECK(with_token_file(token).code == 6);  // read; nobody listens

  ::mkfifo((files.path() / "pipe").c_str(), 0600);
  CHECK(contains(with_token_file(files.path() / "pipe").err, "regular file"));
  CHECK(contains(with_token_file(files.path()).err, "regular file"));
  CHECK(with_token_file(files.path() / "none").code == 2);
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("two secret\nlines\n"),
        std::string("secret\r\n"), std::string(Token::kMaxLength + 1, 'x')}) {
    const auto bad = files.write("bad", text);
    ::chmod(bad.c_str(), 0600);
    const Run run = with_token_file(bad);
    CHECK(run.code == 2);
    CHECK_FALSE(contains(run.err, "secret"));
  }
}

TEST_CASE("a token must be given, and one that could break a header is refused", "[plexctl]") {
  CHECK(contains(plexctl::plexctl({"whoami"}, {kNowhere.server, ""}).err, "--token-file"));
  const Run split = plexctl::plexctl({"whoami"}, {kNowhere.server, "secret\r\nX-Other: 1"});
  CHECK(split.code == 2);
  CHECK(contains(split.err, "PLEXSPHERE_TOKEN"));
  CHECK_FALSE(contains(split.err, "secret"));
}

TEST_CASE("a token that would cross the network in the clear is warned of", "[plexctl]") {
  // A name that cannot exist (RFC 6761): no answer, wherever the test runs.
  const Run run = plexctl::plexctl({"whoami", "--server", "http://plexsphere.invalid"}, {"", "t"});
  CHECK(run.code == 6);
  CHECK(contains(run.err, "use https://"));
  CHECK_FALSE(contains(plexctl::plexctl({"whoami"}, kNowhere).err, "warning"));
}

TEST_CASE("each family of statuses has its exit code", "[plexctl]") {
  CHECK(exit_code_of(401) == ExitCode::unauthenticated);
  CHECK(exit_code_of(403) == ExitCode::denied);
  CHECK(exit_code_of(404) == ExitCode::not_found);
  CHECK(exit_code_of(409) == ExitCode::conflict);
  for (const int status : {501, 502, 503, 504}) {
    CHECK(exit_code_of(status) == ExitCode::unavailable);
  }
  for (const int status : {302, 400, 422, 429, 500}) {
    CHECK(exit_code_of(status) == ExitCode::failed);
  }
}

TEST_CASE("a problem is told by code, detail and correlation id, anything else not at all",
          "[plexctl]") {
  const auto denied = failure_of(
      "GET /x", 403, R"({"code":"permission_denied","detail":"No.","correlation_id":"c1"})", "c2");
  CHECK(std::string(denied.what()) ==
        "GET /x answered 403 permission_denied: No. (correlation id c1)");
  CHECK(denied.code() == ExitCode::denied);
  CHECK(std::string(failure_of("GET /x", 502, "<html>", "c2").what()) ==
        "GET /x answered 502 (correlation id c2)");
  CHECK(std::string(failure_of("GET /x", 500, R"({"code":7})", "").what()) ==
        "GET /x answered 500");
}

TEST_CASE("columns line up by characters, and nothing steers the terminal", "[plexctl]") {
  CHECK(table({"ID", "NAME", "WHY"}, {{"1", "käse", "x"}, {"22", "", "a\x1b[2Jb\nc"}}) ==
        "ID  NAME  WHY\n"
        "1   käse  x\n"
        "22  -     a [2Jb c\n");
  CHECK(printable("a\xc2\x9b\x7f\xc2\xa0z") == "a  \xc2\xa0z");
}
