#include "host/apps/runtime/host_config.hpp"

namespace plexsphere::host::apps {
namespace {

using config::KeyType;
using config::Value;

constexpr const char* kDefaultPluginDirectory = "/usr/lib/plexsphere/plugins";

Value milliseconds(std::int64_t value) {
  return std::chrono::milliseconds(value);
}

config::SectionSpec http_section(const std::string& default_addr) {
  return {"http",
          {{.name = "addr",
            .default_value = Value(default_addr),
            .minimum = 1,
            .doc = "host:port, :port or unix:/path; --addr wins"},
           {.name = "drain_delay",
            .type = KeyType::kDuration,
            .default_value = milliseconds(5'000),
            .maximum = 300'000,
            .doc = "between readiness turning 503 and the listener closing"},
           {.name = "request_deadline",
            .type = KeyType::kDuration,
            .default_value = milliseconds(30'000),
            .minimum = 100,
            .maximum = 600'000,
            .doc = "past it a request is answered 503"},
           {.name = "idle_timeout",
            .type = KeyType::kDuration,
            .default_value = milliseconds(30'000),
            .minimum = 100,
            .maximum = 3'600'000,
            .doc = "of a kept connection between requests"},
           {.name = "receive_timeout",
            .type = KeyType::kDuration,
            .default_value = milliseconds(15'000),
            .minimum = 100,
            .maximum = 600'000,
            .doc = "for each wait for bytes of a request"},
           {.name = "workers",
            .type = KeyType::kInteger,
            .default_value = Value(std::int64_t{64}),
            .minimum = 1,
            .maximum = 1024,
            .doc = "threads that serve requests"},
           {.name = "max_waiting",
            .type = KeyType::kInteger,
            .default_value = Value(std::int64_t{1024}),
            .minimum = 1,
            .maximum = 16'384,
            .doc = "accepted connections that may wait for a worker"},
           {.name = "trusted_proxies",
            .type = KeyType::kStringList,
            .default_value = Value(std::vector<std::string>{}),
            .maximum = 64,
            .doc = "addresses or networks whose X-Forwarded-For is believed"}}};
}

config::SectionSpec plugins_section(const std::vector<std::string>& essential) {
  return {"plugins",
          {{.name = "directory",
            .type = KeyType::kPath,
            .default_value = Value(std::string(kDefaultPluginDirectory)),
            .doc = "holds <id>/<id>.so and <id>/plugin.toml"},
           {.name = "trusted_owner",
            .type = KeyType::kInteger,
            .default_value = Value(std::int64_t{0}),
            .minimum = 0,
            .maximum = 4'294'967'294,
            .doc = "numeric user id that may own plugin files besides root"},
           {.name = "essential",
            .type = KeyType::kStringList,
            .default_value = Value(essential),
            .maximum = 64,
            .doc = "contexts without which the process does not start"}}};
}

}  // namespace

std::vector<config::SectionSpec> host_sections(const std::string& default_addr,
                                               const std::vector<std::string>& essential) {
  return {http_section(default_addr),
          {"log",
           {{.name = "level",
             .default_value = Value(std::string("info")),
             .doc = "debug, info, warn or error"}}},
          plugins_section(essential)};
}

config::Issues check_host_sections(const config::Configuration& configuration) {
  config::Issues issues;
  const auto& log = configuration.section("log");
  // A value that is missing here was reported when the file was checked.
  if (log.has("level") && !telemetry::parse_level(log.string("level"))) {
    issues.push_back({log.where("level").value_or(config::Location{}), "[log] level is unknown",
                      log.string("level"), "use debug, info, warn or error"});
  }
  const auto& http = configuration.section("http");
  if (http.has("trusted_proxies")) {
    for (const auto& text : http.list("trusted_proxies")) {
      if (!http::IpPrefix::parse(text)) {
        issues.push_back({http.where("trusted_proxies").value_or(config::Location{}),
                          "[http] trusted_proxies has an item that is no address or network", text,
                          "write it as 10.0.0.0/8 or ::1"});
      }
    }
  }
  return issues;
}

telemetry::Level log_level(const config::Configuration& configuration) {
  return telemetry::parse_level(configuration.section("log").string("level"))
      .value_or(telemetry::Level::kInfo);
}

http::EngineOptions engine_options(const config::Configuration& configuration) {
  const auto& section = configuration.section("http");
  http::EngineOptions options;
  options.workers = static_cast<std::size_t>(section.integer("workers"));
  options.max_waiting = static_cast<std::size_t>(section.integer("max_waiting"));
  options.idle_timeout = section.duration("idle_timeout");
  options.receive_timeout = section.duration("receive_timeout");
  return options;
}

http::RouterOptions router_options(const config::Configuration& configuration) {
  const auto& section = configuration.section("http");
  http::RouterOptions options;
  options.deadline = section.duration("request_deadline");
  for (const auto& text : section.list("trusted_proxies")) {
    options.trusted_proxies.push_back(http::IpPrefix::parse(text).value());
  }
  return options;
}

loader::ManagerOptions manager_options(const config::Configuration& configuration,
                                       const loader::LoadPolicy& policy) {
  const auto& section = configuration.section("plugins");
  loader::ManagerOptions options;
  options.inventory.directory = section.string("directory");
  options.inventory.trusted_owner = static_cast<uid_t>(section.integer("trusted_owner"));
  options.inventory.policy = policy;
  options.essential = section.list("essential");
  return options;
}

}  // namespace plexsphere::host::apps
