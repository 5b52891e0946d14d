// The operator's pages against the program they describe.
#include <regex>
#include <sstream>

#include "certificate.hpp"
#include "host/apps/runtime/host_config.hpp"
#include "host/config/duration.hpp"
#include "running.hpp"

namespace plexsphere::host::apps {
namespace {

std::string page(const std::string& name) {
  const auto text = test_support::read_file(PLEXSPHERE_SOURCE_DIR "/docs/operator/" + name);
  REQUIRE_FALSE(text.empty());
  return text;
}

// The content of a page's ```kind blocks, in order.
std::vector<std::string> blocks(const std::string& text, const std::string& kind) {
  std::vector<std::string> out;
  std::istringstream in(text);
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (!inside && line == "```" + kind) {
      inside = true;
      out.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      out.back() += line + "\n";
    }
  }
  return out;
}

// As the table shows it; nothing for a key without a default.
struct Shown {
  std::string operator()(const std::string& text) const { return "`" + text + "`"; }
  std::string operator()(std::int64_t number) const { return "`" + std::to_string(number) + "`"; }
  std::string operator()(bool flag) const { return flag ? "`true`" : "`false`"; }
  std::string operator()(std::chrono::milliseconds time) const {
    return "`" + config::format_duration(time) + "`";
  }
  std::string operator()(const std::vector<std::string>& list) const {
    return list.empty() ? "`[]`" : "";
  }
};

// The table's row about a key: what stands between the bars, or nothing.
std::vector<std::string> row(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("| `" + name + "` |")) {
      std::vector<std::string> cells;
      std::istringstream parts(line.substr(1));
      for (std::string cell; std::getline(parts, cell, '|');) {
        cells.push_back(std::regex_replace(cell, std::regex("^ +| +$"), ""));
      }
      return cells;
    }
  }
  return {};
}

TEST_CASE("every key of the host is on the page, with its default", "[apps][docs]") {
  const std::string text = page("configuration.md");
  for (const auto& section : host_sections(":8080", {})) {
    for (const auto& key : section.keys) {
      if (section.name == "plugins") {
        continue;  // its defaults are the package's and the binary's
      }
      const std::string name = "[" + section.name + "] " + key.name;
      INFO(name);
      const auto cells = row(text, name);
      REQUIRE(cells.size() == 4);
      if (key.default_value) {
        CHECK(cells[1].starts_with(std::visit(Shown{}, *key.default_value)));
      }
    }
  }
}

TEST_CASE("every key on the page exists", "[apps][docs]") {
  const std::string text = page("configuration.md");
  const std::regex name(R"(\| `\[(http|tls|log|plugins)\] ([a-z_]+)`)");
  const auto sections = host_sections(":8080", {});
  std::size_t seen = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at, ++seen) {
    INFO((*at).str());
    bool known = false;
    for (const auto& section : sections) {
      for (const auto& key : section.keys) {
        known = known || (section.name == (*at)[1].str() && key.name == (*at)[2].str());
      }
    }
    CHECK(known);
  }
  CHECK(seen > 30);
}

TEST_CASE("every metric of HTTP is on the pages about it", "[apps][docs]") {
  Running running;
  running.start();
  CHECK(running.get("/nowhere").status == 404);
  const std::string pages = page("http.md") + page("tls.md");
  const std::string metrics = running.get("/metrics").body;
  const std::regex name("# TYPE (plexsphere_(http|stream|tls)_[a-z_]+) ");
  std::size_t seen = 0;
  for (std::sregex_iterator at(metrics.begin(), metrics.end(), name), end; at != end;
       ++at, ++seen) {
    INFO((*at)[1].str());
    CHECK(std::regex_search(pages, std::regex("`" + (*at)[1].str() + "[`{]")));
  }
  CHECK(seen > 20);
}

TEST_CASE("the configuration on the page about HTTP passes the check", "[apps][docs]") {
  Running running;
  const auto pair = make_certificate(running.path(), "server", 90);
  const auto examples = blocks(page("http.md"), "toml");
  REQUIRE_FALSE(examples.empty());
  for (const auto& example : examples) {
    std::string text =
        std::regex_replace(example, std::regex("/etc/plexsphere/tls"), running.path().string());
    running.write_configuration(text);
    const auto done = running.run({"--check-config"});
    INFO(text << done.err);
    CHECK(done.code == 0);
  }
}

TEST_CASE("the commands on the page about HTTP do what it says", "[apps][docs]") {
  Running running;
  running.start();
  std::filesystem::create_directory(running.path() / "bin");
  std::filesystem::create_symlink(PLEXSPHERE_BARE, running.path() / "bin" / "plexsphere");
  const auto commands = blocks(page("http.md"), "sh");
  REQUIRE(commands.size() >= 3);
  for (auto command : commands) {
    command = std::regex_replace(command, std::regex("http://127\\.0\\.0\\.1:8080"), running.url());
    command = std::regex_replace(command, std::regex("/etc/plexsphere/plexsphere\\.toml"),
                                 (running.path() / "test.toml").string());
    command = std::regex_replace(command, std::regex("\\$MAINPID"),
                                 std::to_string(running.process().pid()));
    test_support::Process::Options options;
    options.directory = running.path();
    options.environment = {{"PATH", (running.path() / "bin").string() + ":/usr/bin:/bin"}};
    const auto done = test_support::run("/bin/bash", {"-eo", "pipefail", "-c", command}, options);
    INFO(command << done.err);
    CHECK(done.code == 0);
    CHECK((done.out.empty() == command.starts_with("kill")));
  }
  CHECK(running.logs("tls.reload_skipped"));
}

TEST_CASE("the units on the page about HTTP are sound", "[apps][docs]") {
  Running running;
  const auto units = blocks(page("http.md"), "ini");
  REQUIRE(units.size() == 2);
  std::vector<std::string> arguments{"verify", "--man=no"};
  for (auto unit : units) {
    // The first line names the file: "# /etc/systemd/system/plexsphere.socket".
    const auto slash = unit.rfind('/', unit.find('\n'));
    const std::string name = unit.substr(slash + 1, unit.find('\n') - slash - 1);
    unit = std::regex_replace(unit, std::regex("/usr/bin/plexsphere"), PLEXSPHERE_BARE);
    arguments.push_back(running.write(name, unit).string());
  }
  const auto done = test_support::run("/usr/bin/systemd-analyze", arguments);
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(done.err.find(running.path().string()) == std::string::npos);  // no warning about them
}

}  // namespace
}  // namespace plexsphere::host::apps
