// px.egress as a plugin sees it: through its C++ wrapper, with grants and credentials as
// configured.
#include "host/services/egress_service.hpp"

#include <sys/stat.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <fstream>
#include <list>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "host/config/egress_keys.hpp"
#include "host/health/registry.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/sdk/egress.hpp"
#include "support/raw_server.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::services {
namespace {

using namespace std::chrono_literals;
using test_support::http_answer;
using test_support::RawRequest;
using test_support::RawServer;
using test_support::wait_until;

constexpr auto kPatience = 20s;

// One plugin with px.egress, or without.
struct Plugin {
  Plugin(ServiceProvider& service, std::vector<std::string> asks, std::vector<std::string> grants,
         const std::map<std::string, std::string>& keys = {}) {
    manifest.id = "archive";
    manifest.capabilities.egress = std::move(asks);
    settings.put("egress", std::move(grants), std::nullopt);
    for (const auto& [key, value] : keys) {
      settings.put(key, value, std::nullopt);
    }
    table = reinterpret_cast<const px_egress*>(service.table_for(context));
    if (table != nullptr) {
      egress = sdk::Egress(table);
    }
  }

  config::Manifest manifest;
  config::Settings settings;
  PluginContext context{manifest, settings};
  const px_egress* table = nullptr;
  sdk::Egress egress;
};

sdk::EgressRequest get(const std::string& url) {
  sdk::EgressRequest request;
  request.method = "GET";
  request.url = url;
  request.deadline = kPatience;
  request.max_response_bytes = 1024;
  return request;
}

struct Fixture {
  std::ostringstream log_text;
  telemetry::Logger log{"test", telemetry::Level::kInfo, log_text};
  telemetry::Metrics metrics;
  health::Registry health;
  HostContext host{log, metrics, health, "plexsphere"};
  test_support::TempDir directory;
  std::list<Plugin> plugins;
  std::unique_ptr<ServiceProvider> service = make_egress_service(host, {});
  std::mutex mutex;
  std::vector<RawRequest> seen;
  RawServer server{[this](const RawRequest& request) {
    const std::lock_guard lock(mutex);
    seen.push_back(request);
    return http_answer(200, "hello", {{"ETag", "\"1\""}});
  }};

  // Lives as long as the service: it knows plugins by their address.
  const Plugin& plugin_with(std::vector<std::string> asks, std::vector<std::string> grants,
                            const std::map<std::string, std::string>& keys = {}) {
    return plugins.emplace_back(*service, std::move(asks), std::move(grants), keys);
  }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const auto path = directory.path() / name;
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    return path.string();
  }
  bool has_metric(const std::string& line) {
    return metrics.render().find(line + "\n") != std::string::npos;
  }
  ~Fixture() { service->stopped(); }
};

TEST_CASE_METHOD(Fixture, "only a plugin whose manifest asks for egress has it", "[services]") {
  CHECK(plugin_with({}, {}).table == nullptr);
  CHECK(plugin_with({"*"}, {}).table != nullptr);
}

TEST_CASE_METHOD(Fixture, "a granted origin is reached, and the answer comes back", "[services]") {
  const Plugin& plugin = plugin_with({"*"}, {server.url()});
  const auto answer = plugin.egress.fetch(get(server.url() + "/a?b=c"));
  REQUIRE(answer.ok());
  CHECK(answer->status == 200);
  CHECK(answer->body == "hello");
  CHECK(answer->header("etag") == "\"1\"");
  CHECK(seen.at(0).target == "/a?b=c");
  CHECK(has_metric(R"(plexsphere_egress_requests_total{context="archive",outcome="2xx"} 1)"));
}

TEST_CASE_METHOD(Fixture, "what manifest or operator do not grant is refused and counted",
                 "[services]") {
  const auto refusal = [&](std::vector<std::string> asks, std::vector<std::string> grants,
                           const std::string& url) {
    const Plugin& plugin = plugin_with(std::move(asks), std::move(grants));
    const auto answer = plugin.egress.fetch(get(url));
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == sdk::Code::permission_denied);
    return answer.error().reason + ": " + answer.error().detail;
  };
  CHECK(refusal({"*"}, {}, server.url() + "/") ==
        "origin_not_granted: [context.archive] egress does not list " + server.url());
  CHECK(refusal({"*"}, {"https://s3.example"}, "http://s3.example:443/") ==
        "plaintext_not_granted: [context.archive] egress grants https://s3.example:443, not "
        "http://s3.example:443");
  CHECK(refusal({"*"}, {"https://s3.example"}, "https://s3.example:8443/")
            .starts_with("origin_not_granted"));
  CHECK(refusal({"*"}, {"https://s3.example"}, "https://evil.s3.example/")
            .starts_with("origin_not_granted"));
  CHECK(refusal({"https://api.example"}, {server.url()}, server.url() + "/") ==
        "origin_not_granted: plugin.toml of 'archive' does not ask for " + server.url());
  CHECK(seen.empty());
  CHECK(has_metric(
      R"(plexsphere_egress_refused_total{context="archive",reason="origin_not_granted"} 4)"));
  CHECK(has_metric(
      R"(plexsphere_egress_refused_total{context="archive",reason="plaintext_not_granted"} 1)"));
}

TEST_CASE_METHOD(Fixture, "a deadline and a ceiling are not optional", "[services]") {
  const Plugin& plugin = plugin_with({"*"}, {server.url()});
  for (const auto deadline : {0ms, -1ms, 600'001ms}) {
    auto request = get(server.url() + "/");
    request.deadline = deadline;
    const auto answer = plugin.egress.fetch(request);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == sdk::Code::invalid_argument);
    CHECK(answer.error().detail.starts_with("deadline_ms is 1 to 600000"));
  }
  auto request = get(server.url() + "/");
  request.max_response_bytes = 0;
  CHECK(plugin.egress.fetch(request).error().reason == "request_malformed");
  request.max_response_bytes = 4;
  CHECK(plugin.egress.fetch(request).error().reason == "response_too_large");
}

TEST_CASE_METHOD(Fixture, "a caller with a shorter or empty request is refused", "[services]") {
  const Plugin& plugin = plugin_with({"*"}, {server.url()});
  px_egress_request wire{};
  CHECK(plugin.table->send(plugin.table->base.self, nullptr, nullptr, nullptr) ==
        PX_INVALID_ARGUMENT);
  wire.struct_size = sizeof wire;
  CHECK(plugin.table->send(plugin.table->base.self, &wire, nullptr, nullptr) ==
        PX_INVALID_ARGUMENT);
  wire.done = [](void*, px_status, const px_egress_response*, px_str, px_str) {};
  wire.struct_size = offsetof(px_egress_request, done);
  CHECK(plugin.table->send(plugin.table->base.self, &wire, nullptr, nullptr) ==
        PX_INVALID_ARGUMENT);
}

TEST_CASE_METHOD(Fixture, "a signed request carries the operator's key, read when it is needed",
                 "[services]") {
  const auto path = write("s3.key", "first\n");
  const Plugin& plugin =
      plugin_with({"*"}, {server.url()},
                  {{"egress_access_key_id", "AKIDEXAMPLE"}, {"egress_secret_key_file", path}});
  auto request = get(server.url() + "/bucket?prefix=x&max-keys=1");
  request.sign = {"eu-central-1", "s3"};
  const auto authorization = [&] {
    REQUIRE(plugin.egress.fetch(request).ok());
    return seen.back().only("authorization").value_or("");
  };
  const std::string first = authorization();
  CHECK(first.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
  CHECK(first.find("/eu-central-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;"
                   "x-amz-date, Signature=") != std::string::npos);
  CHECK(seen.back().target == "/bucket?max-keys=1&prefix=x");
  CHECK(seen.back().only("x-amz-content-sha256") ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(seen.back().only("x-amz-date").has_value());
  // One second apart signatures differ anyway; the same second and another key must differ as well.
  write("s3.key", "second\n");
  CHECK(wait_until(kPatience, [&] {
    write("s3.key", "first\n");
    const std::string one = authorization();
    const auto when = seen.back().only("x-amz-date");
    write("s3.key", "second\n");
    const std::string other = authorization();
    return when == seen.back().only("x-amz-date") && one != other;
  }));
  CHECK(log_text.str().find("second") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "without a readable key nothing is signed and nothing is sent",
                 "[services]") {
  const auto refusal = [&](const std::map<std::string, std::string>& keys) {
    const Plugin& plugin = plugin_with({"*"}, {server.url()}, keys);
    auto request = get(server.url() + "/");
    request.sign = {"eu-central-1", "s3"};
    const auto answer = plugin.egress.fetch(request);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == sdk::Code::failed_precondition);
    return answer.error().reason + ": " + answer.error().detail;
  };
  CHECK(refusal({}) == "credential_missing: set egress_access_key_id under [context.archive]");
  const auto open = write("open.key", "secret", 0644);
  const auto text = refusal({{"egress_access_key_id", "A"}, {"egress_secret_key_file", open}});
  CHECK(text.find("is open to others") != std::string::npos);
  CHECK(text.find("secret\n") == std::string::npos);
  const auto odd = write("odd.key", std::string("a\0b", 3));
  CHECK(refusal({{"egress_access_key_id", "A"}, {"egress_secret_key_file", odd}})
            .find("holds a NUL byte") != std::string::npos);
  ::unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(refusal({{"egress_access_key_id", "A"}, {"egress_secret_key_credential", "s3"}})
            .find("LoadCredential=") != std::string::npos);
  CHECK(seen.empty());
  ::setenv("CREDENTIALS_DIRECTORY", directory.path().c_str(), 1);
  write("s3", "secret");
  const Plugin& plugin =
      plugin_with({"*"}, {server.url()},
                  {{"egress_access_key_id", "A"}, {"egress_secret_key_credential", "s3"}});
  auto request = get(server.url() + "/");
  request.sign = {"eu-central-1", "s3"};
  CHECK(plugin.egress.fetch(request).ok());
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_CASE_METHOD(Fixture, "a plugin that is withdrawn gets what it waited for as unavailable",
                 "[services]") {
  std::mutex held;
  held.lock();
  std::atomic<int> arrived{0};
  RawServer slow([&](const RawRequest&) {
    ++arrived;
    const std::lock_guard wait(held);
    return http_answer(200);
  });
  const Plugin& plugin = plugin_with({"*"}, {slow.url()});
  std::optional<sdk::Result<sdk::EgressResponse>> answer;
  std::thread waiting([&] { answer = plugin.egress.fetch(get(slow.url() + "/")); });
  REQUIRE(wait_until(kPatience, [&] { return arrived == 1; }));
  service->withdrawn(plugin.context);
  waiting.join();
  held.unlock();
  REQUIRE_FALSE(answer->ok());
  CHECK(answer->error().code == sdk::Code::unavailable);
  CHECK(answer->error().reason == "withdrawn");
  CHECK(plugin.egress.fetch(get(slow.url() + "/")).error().reason == "withdrawn");
}

TEST_CASE_METHOD(Fixture, "one who waits may stop waiting", "[services]") {
  std::mutex held;
  held.lock();
  RawServer slow([&](const RawRequest&) {
    const std::lock_guard wait(held);
    return http_answer(200);
  });
  const Plugin& plugin = plugin_with({"*"}, {slow.url()});
  const auto answer = plugin.egress.fetch(get(slow.url() + "/"), [] { return true; });
  held.unlock();
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == sdk::Code::cancelled);
}

}  // namespace
}  // namespace plexsphere::host::services
