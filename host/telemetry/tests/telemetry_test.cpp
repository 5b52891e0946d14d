#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::telemetry {
namespace {

TEST_CASE("a log line is one JSON object with the fixed keys first", "[telemetry]") {
  std::ostringstream out;
  Logger log("plexsphere", Level::kInfo, out);
  log.info("http.request", {{"status", 200}, {"path", "/livez"}, {"ok", true}, {"seconds", 0.5}});
  const std::string text = out.str();
  CHECK(text.back() == '\n');
  const auto line = nlohmann::ordered_json::parse(text);
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.items()) {
    keys.push_back(key);
  }
  CHECK(keys == std::vector<std::string>{"time", "level", "service", "event", "status", "path",
                                         "ok", "seconds"});
  CHECK(std::regex_match(line["time"].get<std::string>(),
                         std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)")));
  CHECK(line["service"] == "plexsphere");
  CHECK(line["status"] == 200);
}

TEST_CASE("lines below the level are dropped", "[telemetry]") {
  std::ostringstream out;
  Logger log("plexsphere", Level::kWarn, out);
  log.info("quiet");
  CHECK(out.str().empty());
  log.set_level(Level::kDebug);
  log.debug("loud");
  CHECK(out.str().find("\"loud\"") != std::string::npos);
}

TEST_CASE("hostile text cannot break or forge a line", "[telemetry]") {
  std::ostringstream out;
  Logger log("plexsphere", Level::kInfo, out);
  log.info("x", {{"service", "forged"}, {"text", std::string("a\"\n{\xff\x01")}});
  const std::string text = out.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  const auto line = nlohmann::json::parse(text);
  CHECK(line["service"] == "plexsphere");
  CHECK(line["service_"] == "forged");
}

TEST_CASE("of two fields of one name the last counts", "[telemetry]") {
  std::ostringstream out;
  Logger log("plexsphere", Level::kInfo, out);
  log.info("x", {{"a", 1}, {"service_", "old"}, {"b", 2}, {"a", 3}, {"service", "new"}});
  const std::string text = out.str();
  CHECK(text.substr(text.find("\"event\"")) ==
        "\"event\":\"x\",\"b\":2,\"a\":3,\"service_\":\"new\"}\n");
}

TEST_CASE("level names are read back", "[telemetry]") {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarn, Level::kError}) {
    CHECK(parse_level(level_name(level)) == level);
  }
  CHECK_FALSE(parse_level("verbose").has_value());
}

TEST_CASE("metrics carry the build and the process", "[telemetry]") {
  Metrics metrics;
  metrics.counter("plexsphere_test_total", "A test.").Add({{"kind", "a"}}).Increment(3);
  metrics.counter("plexsphere_test_total", "A test.").Add({{"kind", "a"}}).Increment(4);
  const std::string text = metrics.render();
  CHECK(text.find("plexsphere_build_info{commit=\"") != std::string::npos);
  CHECK(text.find("plexsphere_test_total{kind=\"a\"} 7") != std::string::npos);
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_open_fds", "process_max_fds", "process_start_time_seconds"}) {
    INFO(name);
    CHECK(text.find(std::string("\n") + name + " ") != std::string::npos);
  }
}

}  // namespace
}  // namespace plexsphere::host::telemetry
