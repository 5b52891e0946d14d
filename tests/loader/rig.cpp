#include "rig.hpp"

#include <unistd.h>

#include <filesystem>

#include "host/http/engine/epoll_engine.hpp"
#include "host/services/clock.hpp"
#include "host/services/config.hpp"
#include "host/services/health.hpp"
#include "host/services/info.hpp"
#include "host/services/log.hpp"
#include "host/services/metrics.hpp"
#include "host/services/stream_service.hpp"

namespace plexsphere::host::loader {
namespace {

namespace fs = std::filesystem;

std::string manifest_of(const std::string& id, const std::string& more) {
  return "[plugin]\nid = \"" + id + "\"\nversion = \"0.1.0\"\nabi = \"1.0\"\nsummary = \"Test\"\n" +
         more;
}

void close_to_others(const fs::path& path) {
  fs::permissions(path, fs::perms::group_write | fs::perms::others_write, fs::perm_options::remove);
}

}  // namespace

Rig::Rig()
    : log_("plexsphere", telemetry::Level::kDebug, log_text_),
      host_{log_, metrics_, health_, "plexsphere"} {
  fs::create_directory(plugins());
}

Rig::~Rig() {
  engine_.reset();
  if (manager_) {
    manager_->stop();
  }
}

void Rig::install(const std::string& id, const std::string& more) {
  install_manifest(id, more);
  const fs::path file = plugins() / id / (id + ".so");
  fs::copy_file(fs::path(PLEXSPHERE_TEST_PLUGINS) / id / (id + ".so"), file);
  close_to_others(file);
  const fs::path own = fs::path(PLEXSPHERE_TEST_PLUGIN_SOURCES) / id / "plugin.toml";
  if (fs::exists(own)) {
    fs::copy_file(own, plugins() / id / "plugin.toml", fs::copy_options::overwrite_existing);
    close_to_others(plugins() / id / "plugin.toml");
  }
}

void Rig::install_manifest(const std::string& id, const std::string& more) {
  fs::create_directories(plugins() / id);
  close_to_others(plugins() / id);
  close_to_others(directory_.write("plugins/" + id + "/plugin.toml", manifest_of(id, more)));
}

std::string Rig::discover(const std::string& configuration,
                          const std::vector<std::string>& essential,
                          const std::vector<std::string>& allowed) {
  directory_.write("plexsphere.toml", configuration);
  auto loaded = config::load({directory_.path() / "plexsphere.toml", true, {}}, {});
  configuration_ = std::move(loaded.configuration);
  manager_ = std::make_unique<PluginManager>(
      ManagerOptions{{plugins(), ::getuid(), {allowed, {}}}, essential}, host_, states_);
  std::string text;
  for (const auto& issue : manager_->discover(configuration_)) {
    text += issue.text() + "\n";
  }
  return text;
}

Status Rig::start(http::RouterOptions options) {
  providers_.push_back(services::make_log_service(host_));
  providers_.push_back(services::make_metrics_service(host_));
  providers_.push_back(services::make_health_service(host_));
  providers_.push_back(services::make_config_service());
  providers_.push_back(services::make_clock_service());
  providers_.push_back(services::make_info_service(states_));
  auto routes = services::make_router_service();
  auto* route_service = routes.get();
  providers_.push_back(std::move(routes));
  hub_ = std::make_unique<http::StreamHub>(log_, metrics_);
  providers_.push_back(services::make_stream_service(host_, *hub_));
  if (auto status = manager_->start(providers_, *route_service); !status) {
    return status;
  }
  router_ = std::make_unique<http::Router>(log_, metrics_, std::move(options));
  if (auto status = manager_->mount(*router_); !status) {
    return status;
  }
  engine_ = http::make_epoll_engine(*router_, {.workers = 8});
  return engine_->listen("127.0.0.1:0");
}

Status Rig::run(const std::vector<std::string>& ids, const std::vector<std::string>& essential) {
  std::string configuration;
  for (const auto& id : ids) {
    configuration += "[context." + id + "]\nenabled = true\n";
  }
  if (const auto issues = discover(configuration, essential); !issues.empty()) {
    return {Code::kInvalidArgument, issues};
  }
  return start();
}

test_support::HttpResponse Rig::call(const std::string& method, const std::string& path,
                                     const std::string& body) {
  return test_support::HttpClient().request(method, "http://" + engine_->addresses().front() + path,
                                            {}, body);
}

std::string Rig::state_of(const std::string& id) const {
  for (const auto& record : states_.all()) {
    if (record.id == id) {
      return std::string(plugin_state_name(record.state)) + ": " + record.reason;
    }
  }
  return "absent";
}

}  // namespace plexsphere::host::loader
