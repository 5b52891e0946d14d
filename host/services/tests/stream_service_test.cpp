// px.stream as a plugin sees it: through its C++ wrapper, with real responders and connections.
#include "host/services/stream_service.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <optional>
#include <sstream>

#include "host/health/registry.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/http/stream/detached_connection.hpp"
#include "host/http/stream/tests/fixture.hpp"
#include "plexsphere/sdk/stream.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::services {
namespace {

using http::Client;
using http::kHead;
using http::kPatience;
using test_support::wait_until;

// The engine's side of one request: gives its connection away when told, or has lost it.
class Connected final : public http::Reply {
 public:
  explicit Connected(Client* client) : client_(client) {}

  void send(http::Response response) override { answer = std::move(response); }
  void detach(http::Response response, Taker taker) override {
    answer = std::move(response);
    taker(client_ == nullptr ? std::nullopt : std::optional(client_->served(true)));
  }
  void run(std::function<void()> task) override { task(); }

  std::optional<http::Response> answer;

 private:
  Client* client_;
};

// One plugin with px.stream.
struct Plugin {
  Plugin(ServiceProvider& service, std::string id, bool routes = true) {
    manifest.id = std::move(id);
    manifest.capabilities.routes = routes;
    table = reinterpret_cast<const px_stream*>(service.table_for(context));
    if (table != nullptr) {
      streams = sdk::Streams(table);
    }
  }

  config::Manifest manifest;
  config::Settings settings;
  PluginContext context{manifest, settings};
  const px_stream* table = nullptr;
  sdk::Streams streams;
};

class Fixture {
 public:
  Fixture() {
    http::Route route;
    route.owner = "test";
    route.method = "GET";
    route.path = "/stream";
    route.auth = PX_AUTH_NONE;
    route.ctx = this;
    route.handle = [](void* self, const px_request*, const px_responder* responder) {
      static_cast<Fixture*>(self)->handler_(sdk::Responder(responder));
    };
    REQUIRE(router_.add(route).ok());
  }
  ~Fixture() { hub_.reset(); }

 protected:
  // Opens a stream for `plugin`; what open gave, and the answer if there was one.
  sdk::Result<px_subscription> open(Plugin& plugin, Client* client, sdk::StreamOptions options) {
    std::optional<sdk::Result<px_subscription>> opened;
    handler_ = [&](sdk::Responder responder) {
      opened = plugin.streams.open(responder, std::move(options));
      if (!*opened) {
        responder.send(sdk::Problem{503, "no_stream", "No stream.", {}, {}});
      }
    };
    const auto reply = std::make_shared<Connected>(client);
    router_.handle({{"GET", "/stream", {}, "127.0.0.1"}, "", false}, reply);
    answer_ = reply->answer;
    REQUIRE(opened.has_value());
    return *opened;
  }
  sdk::Error refusal(sdk::StreamOptions options) {
    const auto opened = open(plugin_, nullptr, std::move(options));
    REQUIRE_FALSE(opened.ok());
    REQUIRE(answer_.has_value());
    CHECK(answer_->status == 503);  // the handler still owed its answer, and gave it
    return opened.error();
  }

  std::ostringstream log_text_;
  telemetry::Logger log_{"test", telemetry::Level::kInfo, log_text_};
  telemetry::Metrics metrics_;
  health::Registry health_;
  HostContext host_{log_, metrics_, health_, "plexsphere"};
  std::unique_ptr<http::StreamHub> hub_ = std::make_unique<http::StreamHub>(log_, metrics_);
  std::unique_ptr<ServiceProvider> service_ = make_stream_service(host_, *hub_);
  http::Router router_{log_, metrics_, {}};
  Plugin plugin_{*service_, "one"};
  std::function<void(sdk::Responder)> handler_;
  std::optional<http::Response> answer_;
};

std::string header_of(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (http::equal_ignoring_case(key, name)) {
      return value;
    }
  }
  return "(absent)";
}

TEST_CASE_METHOD(Fixture, "a handler answers with a stream and publishes to it", "[stream]") {
  Client client;
  const auto id = open(plugin_, &client,
                       {.channels = {"news"}, .headers = {{"X-Plexsphere-API-Version", "1"}}});
  REQUIRE(id.ok());
  CHECK(answer_->status == 200);
  CHECK(answer_->content_type == "text/event-stream");
  CHECK(header_of(*answer_, "Cache-Control") == "no-cache");
  CHECK(header_of(*answer_, "X-Plexsphere-API-Version") == "1");
  CHECK(plugin_.streams.subscribers("news") == 1);
  REQUIRE(plugin_.streams.publish("news",
                                  {.sequence = 3, .id = "3", .event = "headline", .data = "{}"}));
  REQUIRE(plugin_.streams.send(*id, {.data = "only you"}));
  REQUIRE(client.read_until("data: only you\n\n\r\n"));
  CHECK(client.events() == "id: 3\nevent: headline\ndata: {}\n\ndata: only you\n\n");
  REQUIRE(plugin_.streams.close(*id));
  REQUIRE(client.read_to_end());
  CHECK(plugin_.streams.send(*id, {.data = "x"}).error().code == sdk::Code::not_found);
}

TEST_CASE_METHOD(Fixture, "a replay through the wrapper has no gap and no duplicate", "[stream]") {
  Client client;
  const auto id = open(plugin_, &client, {.channels = {"news"}, .held = true, .after = 1});
  REQUIRE(id.ok());
  for (std::uint64_t i = 1; i <= 4; ++i) {
    REQUIRE(plugin_.streams.publish("news", {.sequence = i, .data = std::to_string(i)}));
  }
  REQUIRE(plugin_.streams.send(*id, {.sequence = 2, .data = "2"}));
  REQUIRE(plugin_.streams.send(*id, {.sequence = 3, .data = "3"}));
  REQUIRE(plugin_.streams.release(*id));
  REQUIRE(client.read_until("data: 4\n\n\r\n"));
  CHECK(client.events() == "data: 2\n\ndata: 3\n\ndata: 4\n\n");
}

TEST_CASE_METHOD(Fixture, "two plugins that use one name do not meet", "[stream]") {
  Plugin other(*service_, "two");
  Client mine;
  Client theirs;
  const auto id = open(plugin_, &mine, {.channels = {"news"}});
  REQUIRE(id.ok());
  REQUIRE(open(other, &theirs, {.channels = {"news"}}).ok());
  REQUIRE(other.streams.publish("news", {.data = "theirs"}));
  REQUIRE(plugin_.streams.publish("news", {.data = "mine"}));
  CHECK(other.streams.close(*id).error().code == sdk::Code::not_found);
  REQUIRE(other.streams.close_channel("news"));
  REQUIRE(theirs.read_to_end());
  REQUIRE(mine.read_until("data: mine\n\n\r\n"));
  CHECK(mine.events() == "data: mine\n\n");
}

TEST_CASE_METHOD(Fixture, "a stream that cannot be opened leaves the request to the handler",
                 "[stream]") {
  std::vector<std::string> names;
  for (int i = 0; i < 17; ++i) {
    names.push_back("c" + std::to_string(i));
  }
  const std::vector<std::string_view> seventeen(names.begin(), names.end());
  CHECK(refusal({.channels = {}}).detail == "a stream has 1 to 16 channels, not 0");
  CHECK(refusal({.channels = seventeen}).detail == "a stream has 1 to 16 channels, not 17");
  CHECK(refusal({.channels = {""}}).detail == "the name of a channel has 1 to 128 bytes, not 0");
  const std::string long_name(129, 'c');
  CHECK(refusal({.channels = {long_name}}).detail ==
        "the name of a channel has 1 to 128 bytes, not 129");
  CHECK(refusal({.channels = {"a", "b", "a"}}).detail == "a channel is named twice");
  CHECK(refusal({.channels = {"a"}, .headers = {{"content-type", "x"}}}).detail ==
        "the header content-type of a stream is the host's");
  const auto bad = refusal({.channels = {"a"}, .headers = {{"X-A", "1\r\nX-B: 2"}}});
  CHECK(bad.code == sdk::Code::invalid_argument);
  CHECK(wait_until(kPatience, [&] { return hub_->subscribers() == 0; }));
  CHECK(open(plugin_, nullptr, {.channels = {seventeen.begin(), seventeen.begin() + 16}}).ok());
}

TEST_CASE_METHOD(Fixture, "frames with line breaks where none belong are refused", "[stream]") {
  const auto by_id = plugin_.streams.publish("news", {.id = "1\n", .data = "x"});
  REQUIRE_FALSE(by_id.ok());
  CHECK(by_id.error().code == sdk::Code::invalid_argument);
  CHECK(by_id.error().reason == "frame_not_published");
  CHECK(by_id.error().detail == "the id of a frame holds CR, LF or NUL");
  const std::string large(1024 * 1024 + 1, 'x');
  CHECK_FALSE(plugin_.streams.publish("news", {.data = large}).ok());
}

TEST_CASE_METHOD(Fixture, "a plugin hears once of each end, and nothing once it stops",
                 "[stream]") {
  std::atomic<int> left{0};
  std::atomic<int> others{0};
  const auto note = [&](px_subscription, px_stream_end why) {
    (why == PX_STREAM_CLIENT_LEFT ? left : others) += 1;
  };
  Client leaving;
  Client staying;
  REQUIRE(open(plugin_, &leaving, {.channels = {"news"}, .ended = note}).ok());
  REQUIRE(open(plugin_, nullptr, {.channels = {"news"}, .ended = note}).ok());  // gone already
  REQUIRE(open(plugin_, &staying, {.channels = {"news"}, .ended = note}).ok());
  leaving.leave();
  CHECK(wait_until(kPatience, [&] { return left == 2; }));
  service_->withdrawn(plugin_.context);
  REQUIRE(staying.read_to_end());
  CHECK(left == 2);
  CHECK(others == 0);
  CHECK(open(plugin_, nullptr, {.channels = {"news"}, .ended = note}).error().code ==
        sdk::Code::cancelled);
}

TEST_CASE_METHOD(Fixture, "the drain sends clients away and opens no more", "[stream]") {
  Client client;
  std::atomic<int> drained{0};
  REQUIRE(open(plugin_, &client,
               {.channels = {"news"},
                .ended = [&](px_subscription,
                             px_stream_end why) { drained += why == PX_STREAM_DRAINING ? 1 : 0; }})
              .ok());
  service_->draining(std::chrono::steady_clock::now() + kPatience);
  REQUIRE(client.read_to_end());
  CHECK(client.events().starts_with("retry: "));
  CHECK(wait_until(kPatience, [&] { return drained == 1; }));
  CHECK(open(plugin_, nullptr, {.channels = {"news"}}).error().code == sdk::Code::cancelled);
}

TEST_CASE_METHOD(Fixture, "streams are for plugins that have routes", "[stream]") {
  CHECK(Plugin(*service_, "without", false).table == nullptr);
}

}  // namespace
}  // namespace plexsphere::host::services
