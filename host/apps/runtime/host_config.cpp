#include "host/apps/runtime/host_config.hpp"

#include "host/apps/runtime/http_section.hpp"

namespace plexsphere::host::apps {
namespace {

using config::KeyType;
using config::Value;

constexpr const char* kDefaultPluginDirectory = "/usr/lib/plexsphere/plugins";

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
          tls_section(),
          {"log",
           {{.name = "level",
             .default_value = Value(std::string("info")),
             .doc = "debug, info, warn or error"}}},
          plugins_section(essential)};
}

config::Issues check_host_sections(const config::Configuration& configuration,
                                   const std::string& addr) {
  auto issues = check_http_sections(configuration, addr);
  const auto& log = configuration.section("log");
  // A value that is missing here was reported when the file was checked.
  if (log.has("level") && !telemetry::parse_level(log.string("level"))) {
    issues.push_back({log.where("level").value_or(config::Location{}), "[log] level is unknown",
                      log.string("level"), "use debug, info, warn or error"});
  }
  return issues;
}

telemetry::Level log_level(const config::Configuration& configuration) {
  return telemetry::parse_level(configuration.section("log").string("level"))
      .value_or(telemetry::Level::kInfo);
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
