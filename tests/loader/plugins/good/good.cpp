// A plugin that does what it should: answers at once, later, from another thread, slowly, at
// length, and with a stream.
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plexsphere/sdk/plugin.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/stream.hpp"

namespace sdk = plexsphere::sdk;
using namespace std::chrono_literals;  // NOLINT: test plugin

namespace {

class Good : public sdk::Plugin {
 public:
  static sdk::Status validate(const sdk::Config& config) {
    const auto greeting = config.string("greeting");
    if (greeting && *greeting == "forbidden") {
      return sdk::Error{sdk::Code::invalid_argument, "bad_greeting",
                        "greeting must not be 'forbidden': choose another"};
    }
    return {};
  }

  sdk::Status configure(const sdk::Host& host) override {
    auto config = host.get<sdk::Config>();
    if (!config) {
      return config.error();
    }
    const auto greeting = config->string("greeting");
    if (!greeting) {
      return greeting.error();
    }
    greeting_ = std::string(*greeting);
    auto router = host.get<sdk::Router>();
    if (!router) {
      return router.error();
    }
    if (auto streams = host.get<sdk::Streams>()) {
      streams_ = *streams;
    } else {
      return streams.error();
    }
    const auto added = add_routes(*router);
    return added ? add_stream_routes(*router) : added;
  }

  sdk::Status start() override {
    completer_ = std::thread([this] { complete_later(); });
    return {};
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    if (completer_.joinable()) {
      completer_.join();
    }
  }

 private:
  sdk::Status add_routes(const sdk::Router& router) {
    const auto get = [](std::string_view path) {
      return sdk::Route{.method = "GET", .path = path, .auth = PX_AUTH_NONE};
    };
    sdk::Status status = router.add(get("/v1/good/hello"), [this](const sdk::Request&) {
      return sdk::Response::json(200, "{\"greeting\":\"" + greeting_ + "\"}");
    });
    if (status) {
      status =
          router.add({.method = "POST",
                      .path = "/v1/good/echo",
                      .auth = PX_AUTH_NONE,
                      .too_large_code = "echo_too_large",
                      .body_limit = 64},
                     [](const sdk::Request& request) {
                       return sdk::Response{200, std::string(request.body()), "text/plain", {}};
                     });
    }
    if (status) {
      sdk::Route thing = get("/v1/good/things/{thing_id}");
      thing.bad_id_code = "invalid_thing_id";
      status = router.add(thing, [](const sdk::Request& request) {
        return sdk::Response{200, std::string(request.parameter("thing_id")), "text/plain", {}};
      });
    }
    if (status) {
      status = router.add_async(get("/v1/good/later"),
                                [this](const sdk::Request&, sdk::Responder responder) {
                                  const std::lock_guard lock(mutex_);
                                  waiting_.push_back(std::move(responder));
                                  wake_.notify_all();
                                });
    }
    if (status) {
      status = router.add_async(get("/v1/good/never"),
                                [this](const sdk::Request&, sdk::Responder responder) {
                                  const std::lock_guard lock(mutex_);
                                  kept_.push_back(std::move(responder));
                                });
    }
    if (status) {
      status = router.add(get("/v1/good/slow"), [](const sdk::Request& request) -> sdk::Answer {
        const auto text = request.query("ms").value_or("300");
        std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(std::string(text))));
        return sdk::Response::json(200, "{}");
      });
    }
    if (status) {
      status = router.add(get("/v1/good/large"), [](const sdk::Request& request) {
        const auto bytes = std::stoul(std::string(request.query("bytes").value_or("0")));
        return sdk::Response{200, std::string(bytes, 'x'), "text/plain", {}};
      });
    }
    if (status) {
      status = router.add(get("/v1/good/refused"), [](const sdk::Request&) -> sdk::Answer {
        return sdk::Problem{409,
                            "thing_taken",
                            "The thing is taken.",
                            R"({"dimension":"things","status":200})",
                            {{"Retry-After", "3"}}};
      });
    }
    return status;
  }

  sdk::Status add_stream_routes(const sdk::Router& router) {
    const auto added = router.add_async(
        {.method = "GET", .path = "/v1/good/stream", .auth = PX_AUTH_NONE, .flags = PX_ROUTE_FAST},
        [this](const sdk::Request& request, sdk::Responder responder) {
          const auto channel = request.query("channel").value_or("");
          const auto opened = streams_.open(responder, {.channels = {channel}});
          if (!opened) {
            const bool bad = opened.error().code == sdk::Code::invalid_argument;
            responder.send(
                sdk::Problem{bad ? 400 : 503, "stream_not_opened", opened.error().detail, {}, {}});
          }
        });
    if (!added) {
      return added;
    }
    return router.add({.method = "POST",
                       .path = "/v1/good/publish",
                       .auth = PX_AUTH_NONE,
                       .body_limit = 1024 * 1024,
                       .flags = PX_ROUTE_FAST},
                      [this](const sdk::Request& request) { return publish(request); });
  }

  // The body as the data of `count` events, one if not said, numbered along the plugin's life.
  sdk::Answer publish(const sdk::Request& request) {
    const auto channel = request.query("channel").value_or("");
    const auto count_text = request.query("count").value_or("1");
    std::uint32_t count = 0;
    const char* end = count_text.data() + count_text.size();
    if (std::from_chars(count_text.data(), end, count).ptr != end || count > 100'000) {
      return sdk::Problem{400, "bad_count", "count is a number up to 100000.", {}, {}};
    }
    const auto subscribers = streams_.subscribers(channel);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t sequence = ++sequence_;
      const std::string id = std::to_string(sequence);
      const auto published = streams_.publish(
          channel, {.sequence = sequence, .id = id, .event = "good", .data = request.body()});
      if (!published) {
        return sdk::Problem{503, "not_published", published.error().detail, {}, {}};
      }
    }
    return sdk::Response::json(200, "{\"subscribers\":" + std::to_string(subscribers) + "}");
  }

  void complete_later() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      sdk::Responder responder = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      responder.send(sdk::Response::json(200, "{\"later\":true}"));
      lock.lock();
    }
  }

  std::string greeting_;
  sdk::Streams streams_;
  std::atomic<std::uint64_t> sequence_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<sdk::Responder> waiting_;
  std::vector<sdk::Responder> kept_;
  bool ending_ = false;
  std::thread completer_;
};

}  // namespace

PLEXSPHERE_PLUGIN(Good, "good", "0.1.0");
