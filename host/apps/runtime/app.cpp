#include "host/apps/runtime/app.hpp"

#include <iostream>
#include <memory>

#include "host/apps/runtime/host_config.hpp"
#include "host/apps/runtime/http_section.hpp"
#include "host/apps/runtime/runtime.hpp"

namespace plexsphere::host::apps {
namespace {

// For the log to be written before a process that is not torn down ends.
constexpr std::chrono::milliseconds kLastLines{500};

// What a run stands on. The runtime goes first.
struct Foundations {
  explicit Foundations(const std::string& service) : log(service, telemetry::Level::kInfo) {}

  telemetry::Logger log;
  config::LoadResult loaded;
  std::unique_ptr<Runtime> runtime;
};

config::LoadResult read(const Profile& profile, const Config& config) {
  config::Sources sources;
  sources.main_required = !config.config_file.empty();
  sources.main_file = sources.main_required ? config.config_file : profile.default_config;
  sources.dropin_directory = sources.main_file.parent_path() / profile.dropin_directory;
  auto sections = host_sections(profile.default_addr, profile.essential_plugins);
  sections.insert(sections.end(), profile.extension.sections.begin(),
                  profile.extension.sections.end());
  auto loaded = config::load(sources, sections);
  const auto add = [&loaded](const config::Issues& more) {
    loaded.issues.insert(loaded.issues.end(), more.begin(), more.end());
  };
  add(check_host_sections(loaded.configuration, config.addr));
  if (loaded.issues.empty() && profile.extension.validate) {
    add(profile.extension.validate(loaded.configuration));
  }
  return loaded;
}

void check_certificate(const config::Configuration& configuration,
                       std::vector<std::string>& problems) {
  const auto files = certificate_files(configuration);
  if (!files) {
    return;
  }
  if (const auto loaded = http::tls::Certificates::load(*files); !loaded) {
    const auto where = configuration.section("tls").where("certificate");
    problems.push_back(where.value_or(config::Location{}).text() +
                       ": [tls] cannot be used: " + loaded.status().message());
  }
}

}  // namespace

int App::run(std::stop_token stop, const Config& config) {
  auto foundations = std::make_unique<Foundations>(profile_.service);
  auto& [log, loaded, runtime] = *foundations;
  loaded = read(profile_, config);
  if (!loaded.issues.empty()) {
    for (const auto& issue : loaded.issues) {
      log.error("config.invalid", {{"detail", issue.text()}});
    }
    return kExitFailed;
  }
  log.set_level(log_level(loaded.configuration));
  if (loaded.configuration.files().empty()) {
    log.warn("config.absent", {{"path", profile_.default_config.string()},
                               {"detail", "running on defaults, without any context"}});
  }
  runtime = std::make_unique<Runtime>(profile_, config, loaded.configuration, log);
  const int code = runtime->run(std::move(stop));
  if (code == kExitForced) {
    // Never destroyed: handlers may still run in it, read the configuration and log.
    (void)foundations.release()->log.flush(kLastLines);
  }
  return code;
}

int App::check(const Config& config) {
  auto loaded = read(profile_, config);
  std::vector<std::string> problems;
  for (const auto& issue : loaded.issues) {
    problems.push_back(issue.text());
  }
  if (problems.empty()) {
    telemetry::Logger log(profile_.service, telemetry::Level::kError);
    check_certificate(loaded.configuration, problems);
    for (const auto& problem : check_plugins(profile_, loaded.configuration, log)) {
      problems.push_back(problem);
    }
  }
  for (const auto& problem : problems) {
    std::cerr << problem << '\n';
  }
  if (!problems.empty()) {
    return kExitFailed;
  }
  std::cout << "configuration ok: " << loaded.configuration.files().size() << " file(s), "
            << loaded.configuration.contexts().size() << " context section(s)\n";
  return kExitClean;
}

}  // namespace plexsphere::host::apps
