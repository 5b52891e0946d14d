// Responders that become streams, once and only once; deadlines.
#include "host/http/pipeline/stream_start.hpp"

#include "fixture.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

using namespace testing;  // NOLINT: test

Response stream_head() {
  return {200, "text/event-stream", "", {{"Cache-Control", "no-cache"}}};
}

class Streams : public Fixture {
 public:
  explicit Streams(RouterOptions options = {}) : Fixture(std::move(options)) {
    Route route = make("GET", "/stream", PX_AUTH_NONE);
    route.ctx = this;
    route.handle = [](void* self, const px_request*, const px_responder* responder) {
      static_cast<Streams*>(self)->handler_(*responder);
    };
    REQUIRE(router_.add(route).ok());
  }
  std::shared_ptr<Waiting> open(const char* method = "GET") {
    auto reply = std::make_shared<Waiting>();
    router_.handle({{method, "/stream", {}, "127.0.0.1"}, "", false}, reply);
    return reply;
  }
  static void respond(const px_responder& responder) {
    const px_response response{sizeof(px_response), 204, {}, {}, nullptr, 0};
    responder.respond(responder.self, &response);
  }

 protected:
  std::function<void(const px_responder&)> handler_;
};

TEST_CASE_METHOD(Streams,
                 "a responder becomes a stream with the host's headers, counted and logged",
                 "[http]") {
  handler_ = [](const px_responder& responder) {
    CHECK(start_stream(responder, stream_head(), [](auto) {}).ok());
  };
  const auto reply = open();
  const auto head = reply->wait();
  CHECK(reply->detached());
  CHECK(head.status == 200);
  CHECK(header_of(head, "Cache-Control") == "no-cache");
  CHECK(parse_uuid(header_of(head, "X-Correlation-Id")).has_value());
  CHECK(router_.unanswered() == 0);
  CHECK(metrics_.render().find("plexsphere_http_requests_total{method=\"GET\",route=\"/stream\","
                               "status=\"200\"} 1") != std::string::npos);
  CHECK(log_text_.str().find("\"event\":\"http.request\"") != std::string::npos);
}

TEST_CASE_METHOD(Streams, "a stream may start later, and from another thread", "[http]") {
  std::thread later;
  bool started = false;
  handler_ = [&](const px_responder& responder) {
    later =
        std::thread([&] { started = start_stream(responder, stream_head(), [](auto) {}).ok(); });
  };
  const auto reply = open();
  reply->wait();
  later.join();
  CHECK(started);
  CHECK(reply->detached());
}

TEST_CASE_METHOD(Streams, "a responder that is completed or a stranger's starts nothing",
                 "[http]") {
  std::vector<Code> codes;
  handler_ = [&codes](const px_responder& responder) {
    px_responder strange = responder;
    strange.respond = [](void*, const px_response*) {};
    codes.push_back(start_stream(strange, stream_head(), [](auto) { FAIL(); }).code());
    codes.push_back(start_stream({}, stream_head(), [](auto) { FAIL(); }).code());
    respond(responder);
    codes.push_back(start_stream(responder, stream_head(), [](auto) { FAIL(); }).code());
  };
  const auto reply = open();
  CHECK(reply->wait().status == 204);
  CHECK_FALSE(reply->detached());
  CHECK(codes == std::vector<Code>(3, Code::kInvalidArgument));
  CHECK(metrics_.render().find("plexsphere_http_second_completions_total 1") != std::string::npos);
}

TEST_CASE_METHOD(Streams, "an answer after the start of a stream is a second completion",
                 "[http]") {
  handler_ = [](const px_responder& responder) {
    CHECK(start_stream(responder, stream_head(), [](auto) {}).ok());
    respond(responder);
    CHECK_FALSE(start_stream(responder, stream_head(), [](auto) { FAIL(); }).ok());
  };
  const auto reply = open();
  CHECK(reply->wait().status == 200);
  CHECK(metrics_.render().find("plexsphere_http_second_completions_total 2") != std::string::npos);
}

TEST_CASE_METHOD(Streams, "a badly formed head leaves the responder to its handler", "[http]") {
  handler_ = [](const px_responder& responder) {
    Response head = stream_head();
    head.status = 404;
    CHECK(start_stream(responder, head, [](auto) { FAIL(); }).code() == Code::kInvalidArgument);
    head = stream_head();
    head.headers.emplace_back("X", "a\r\nInjected: 1");
    CHECK(start_stream(responder, head, [](auto) { FAIL(); }).code() == Code::kInvalidArgument);
    respond(responder);
  };
  CHECK(open()->wait().status == 204);
}

TEST_CASE_METHOD(Streams, "HEAD gets the head, and the taker no connection", "[http]") {
  bool none = false;
  handler_ = [&none](const px_responder& responder) {
    CHECK(start_stream(responder, stream_head(), [&none](auto connection) {
            none = !connection.has_value();
          }).ok());
  };
  const auto reply = open("HEAD");
  CHECK(reply->wait().content_type == "text/event-stream");
  CHECK_FALSE(reply->detached());
  CHECK(none);
}

struct Hurried : Streams {
  Hurried() : Streams(RouterOptions{.deadline = 1ms, .trusted_proxies = {}}) {}
};

TEST_CASE_METHOD(Hurried, "past its deadline a request is answered and starts no stream",
                 "[http]") {
  const px_responder* kept = nullptr;
  handler_ = [&kept](const px_responder& responder) { kept = &responder; };
  const auto reply = open();
  const auto answer = reply->wait();
  CHECK(answer.status == 503);
  CHECK(code(answer) == "request_deadline_exceeded");
  CHECK(router_.unanswered() == 0);
  CHECK(start_stream(*kept, stream_head(), [](auto) { FAIL(); }).code() == Code::kDeadlineExceeded);
  respond(*kept);  // the handler still owes it
  CHECK(metrics_.render().find("plexsphere_http_late_completions_total 1") != std::string::npos);
}

TEST_CASE_METHOD(Hurried, "an answer and its deadline never answer twice", "[http]") {
  std::vector<std::thread> threads;
  handler_ = [&threads](const px_responder& responder) {
    threads.emplace_back([&responder] {
      if (!start_stream(responder, stream_head(), [](auto) {}).ok()) {
        respond(responder);
      }
    });
  };
  std::vector<std::shared_ptr<Waiting>> replies;
  for (int i = 0; i < 200; ++i) {
    replies.push_back(open());
    replies.back()->wait();
  }
  for (auto& thread : threads) {
    thread.join();
  }
  for (const auto& reply : replies) {
    CHECK(reply->answers() == 1);
  }
  CHECK(router_.unanswered() == 0);
}

}  // namespace
}  // namespace plexsphere::host::http
