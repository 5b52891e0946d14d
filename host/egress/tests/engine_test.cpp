// The engine against servers that answer, do not answer, lie and break off.
#include "host/egress/engine.hpp"

#include <arpa/inet.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>

#include "host/egress/check.hpp"
#include "host/egress/transfer.hpp"
#include "support/raw_server.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::egress {
namespace {

using namespace std::chrono_literals;
using test_support::http_answer;
using test_support::RawAnswer;
using test_support::RawRequest;
using test_support::RawServer;
using test_support::wait_until;

constexpr auto kPatience = 20s;

// Handlers wait here until the test opens it.
class Gate {
 public:
  ~Gate() { open(); }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [this] { return open_; });
  }
  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  bool open_ = false;
};

Request request_to(const std::string& url, std::chrono::milliseconds time = kPatience) {
  Request request;
  request.method = "GET";
  REQUIRE_FALSE(set_url(request, url));
  request.deadline = std::chrono::steady_clock::now() + time;
  request.max_response_bytes = 1024;
  return request;
}

struct Fixture {
  telemetry::Metrics metrics;
  const int owner = 0;

  // Sends and waits.
  Outcome fetch(Engine& engine, Request request) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    auto future = promise->get_future();
    const auto sent = engine.send(&owner, std::move(request),
                                  [promise](Outcome outcome) { promise->set_value(outcome); });
    INFO(sent.fault.detail);
    REQUIRE(sent.id != 0);
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get();
  }
  Outcome fetch(Request request) {
    Engine engine({}, metrics);
    return fetch(engine, std::move(request));
  }
};

TEST_CASE_METHOD(Fixture, "a request arrives as it was given, and its answer too", "[egress]") {
  RawRequest seen;
  RawServer server([&](const RawRequest& request) {
    seen = request;
    return http_answer(404, "no such key", {{"X-One", "a"}, {"ETag", "\"e\""}, {"x-one", " b "}});
  });
  Request request = request_to(server.url() + "/bucket/a%2Fb?x=%20");
  request.method = "PUT";
  request.headers = {{"Content-Type", "application/zstd"}};
  request.body = std::string("b\0dy", 4);
  const auto outcome = fetch(std::move(request));

  CHECK(seen.method == "PUT");
  CHECK(seen.target == "/bucket/a%2Fb?x=%20");
  CHECK(seen.body == std::string("b\0dy", 4));
  CHECK(seen.only("host") == server.authority());
  CHECK(seen.only("content-type") == "application/zstd");
  CHECK(seen.only("content-length") == "4");
  CHECK(seen.only("user-agent")->starts_with("plexsphere/"));
  CHECK(seen.all("transfer-encoding").empty());
  CHECK(seen.all("accept-encoding").empty());
  REQUIRE(outcome.response);
  CHECK(outcome.response->status == 404);
  CHECK(outcome.response->body == "no such key");
  CHECK(outcome.response->headers ==
        Headers{{"x-one", "a"}, {"etag", "\"e\""}, {"x-one", "b"}, {"content-length", "11"}});
}

TEST_CASE_METHOD(Fixture, "every method is sent as itself", "[egress]") {
  std::string seen;
  RawServer server([&](const RawRequest& request) {
    seen = request.method + " " + request.body;
    return request.method == "HEAD"
               ? RawAnswer{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false}
               : http_answer(200, "x");
  });
  Engine engine({}, metrics);
  for (const std::string method : {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"}) {
    Request request = request_to(server.url() + "/");
    request.method = method;
    const auto outcome = fetch(engine, std::move(request));
    INFO(method << " " << outcome.fault.detail);
    REQUIRE(outcome.response);
    CHECK(seen == method + " ");
    CHECK(outcome.response->body == (method == "HEAD" ? "" : "x"));
  }
}

TEST_CASE_METHOD(Fixture, "a large body waits for 100 Continue and arrives whole", "[egress]") {
  std::string body(3'000'000, '.');
  for (std::size_t i = 0; i < body.size(); i += 997) {
    body[i] = static_cast<char>('a' + i % 26);
  }
  std::atomic<bool> same{false};
  RawServer server([&](const RawRequest& request) {
    same = request.body == body;
    return http_answer(200);
  });
  Request request = request_to(server.url() + "/");
  request.method = "PUT";
  request.body = body;
  const auto outcome = fetch(std::move(request));
  REQUIRE(outcome.response);
  CHECK(same);
}

TEST_CASE_METHOD(Fixture, "a redirect is an answer and is not followed", "[egress]") {
  std::atomic<int> requests{0};
  RawServer server([&](const RawRequest&) {
    ++requests;
    return http_answer(302, "", {{"Location", "/elsewhere"}});
  });
  const auto outcome = fetch(request_to(server.url() + "/"));
  REQUIRE(outcome.response);
  CHECK(outcome.response->status == 302);
  CHECK(requests == 1);
}

TEST_CASE_METHOD(Fixture, "no proxy of the environment is asked", "[egress]") {
  std::atomic<int> proxied{0};
  RawServer proxy([&](const RawRequest&) {
    ++proxied;
    return http_answer(200, "proxied");
  });
  RawServer server([](const RawRequest&) { return http_answer(200, "direct"); });
  for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) {
    ::setenv(name, proxy.url().c_str(), 1);
  }
  const auto outcome = fetch(request_to(server.url() + "/"));
  for (const char* name : {"http_proxy", "ALL_PROXY", "all_proxy"}) {
    ::unsetenv(name);
  }
  REQUIRE(outcome.response);
  CHECK(outcome.response->body == "direct");
  CHECK(proxied == 0);
}

TEST_CASE_METHOD(Fixture, "an answer larger than the ceiling is an error, with a length or without",
                 "[egress]") {
  const std::string large(1025, 'x');
  for (const auto& answer :
       {http_answer(200, large), RawAnswer{"HTTP/1.1 200 OK\r\n\r\n" + large, true},
        RawAnswer{"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", true}}) {
    RawServer server([&](const RawRequest&) { return answer; });
    const auto outcome = fetch(request_to(server.url() + "/"));
    CHECK(outcome.fault.code == Code::kResourceExhausted);
    CHECK(outcome.fault.reason == "response_too_large");
  }
  RawServer server([&](const RawRequest&) { return http_answer(200, large.substr(1)); });
  CHECK(fetch(request_to(server.url() + "/")).response->body.size() == 1024);
}

TEST_CASE_METHOD(Fixture, "the deadline ends a request that gets no answer", "[egress]") {
  Gate gate;
  RawServer server([&](const RawRequest&) {
    gate.pass();
    return http_answer(200);
  });
  const auto outcome = fetch(request_to(server.url() + "/", 100ms));
  gate.open();
  CHECK(outcome.fault.code == Code::kDeadlineExceeded);
  CHECK(outcome.fault.reason == "deadline");
}

TEST_CASE_METHOD(Fixture, "what keeps a request from its answer is told apart", "[egress]") {
  std::string closed;
  {
    RawServer gone([](const RawRequest&) { return http_answer(200); });
    closed = gone.url();
  }
  CHECK(fetch(request_to(closed + "/")).fault.reason == "unreachable");
  CHECK(fetch(request_to("http://no-such-host.invalid/")).fault.reason == "unresolved");
  for (const std::string& torn :
       {std::string(), std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        std::string("SSH-2.0-OpenSSH_9.2\r\n")}) {
    RawServer server([&](const RawRequest&) { return RawAnswer{torn, true}; });
    const auto fault = fetch(request_to(server.url() + "/")).fault;
    INFO(torn << ": " << fault.detail);
    CHECK(fault.reason == "broken");
    CHECK(fault.code == Code::kUnknown);
  }
}

TEST_CASE_METHOD(Fixture, "a certificate counts if its authority is believed and its name fits",
                 "[egress]") {
  const test_support::TempDir directory;
  const auto good = test_support::make_test_certificate(directory.path(), "good");
  const auto other = test_support::make_test_certificate(directory.path(), "other");
  const auto old = test_support::make_test_certificate(directory.path(), "old", {.lifetime = -1h});
  RawServer server([](const RawRequest&) { return http_answer(200, "secure"); },
                   {"127.0.0.1", good.certificate, good.key});
  RawServer expired([](const RawRequest&) { return http_answer(200, "secure"); },
                    {"127.0.0.1", old.certificate, old.key});
  // The certificate names 127.0.0.1; this address is the same machine by another name.
  RawServer misnamed([](const RawRequest&) { return http_answer(200, "secure"); },
                     {"127.0.0.2", good.certificate, good.key});

  const auto with = [&](const std::string& url, const std::filesystem::path& authority) {
    Request request = request_to(url + "/");
    request.ca_file = authority.string();
    return fetch(std::move(request));
  };
  CHECK(with(server.url(), good.certificate).response->body == "secure");
  CHECK(with(server.url(), "").fault.reason == "tls_refused");
  CHECK(with(server.url(), other.certificate).fault.reason == "tls_refused");
  CHECK(with(expired.url(), old.certificate).fault.reason == "tls_refused");
  CHECK(with(misnamed.url(), good.certificate).fault.reason == "tls_refused");
  CHECK(with(server.url(), directory.path() / "absent.pem").fault.reason == "ca_unusable");
}

TEST_CASE("link-local addresses and their disguises are known", "[egress]") {
  const auto link_local = [](const std::string& text) {
    sockaddr_storage storage{};
    if (text.find(':') == std::string::npos) {
      auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
      v4->sin_family = AF_INET;
      REQUIRE(::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1);
    } else {
      auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
      v6->sin6_family = AF_INET6;
      REQUIRE(::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1);
    }
    return is_link_local(reinterpret_cast<sockaddr&>(storage));
  };
  for (const std::string text : {"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254",
                                 "fe80::1", "febf::1", "fd00:ec2::254"}) {
    INFO(text);
    CHECK(link_local(text));
  }
  for (const std::string text : {"169.253.255.255", "169.255.0.0", "127.0.0.1", "10.0.0.1", "::1",
                                 "::ffff:10.0.0.1", "fec0::1", "fd00:ec2::253", "2001:db8::1"}) {
    INFO(text);
    CHECK_FALSE(link_local(text));
  }
}

TEST_CASE_METHOD(Fixture, "one origin has its own bound, and one that hangs holds up no other",
                 "[egress]") {
  Gate gate;
  RawServer hanging([&](const RawRequest&) {
    gate.pass();
    return http_answer(200, "late");
  });
  RawServer quick([](const RawRequest&) { return http_answer(200, "quick"); });
  Engine engine({.max_in_flight = 4, .max_per_origin = 2, .max_waiting = 8}, metrics);
  std::atomic<int> late{0};
  for (int i = 0; i < 5; ++i) {
    REQUIRE(engine
                .send(&owner, request_to(hanging.url() + "/"),
                      [&](const Outcome& outcome) { late += outcome.response ? 1 : 0; })
                .id != 0);
  }
  REQUIRE(wait_until(kPatience, [&] { return gate.waiting() == 2; }));
  CHECK(fetch(engine, request_to(quick.url() + "/")).response->body == "quick");
  CHECK(gate.waiting() == 2);
  CHECK(metrics.render().find("plexsphere_egress_in_flight 2\n") != std::string::npos);
  CHECK(metrics.render().find("plexsphere_egress_waiting 3\n") != std::string::npos);
  gate.open();
  CHECK(wait_until(kPatience, [&] { return late == 5; }));
  CHECK(wait_until(kPatience, [&] {
    return metrics.render().find("plexsphere_egress_held_bytes 0\n") != std::string::npos;
  }));
}

TEST_CASE_METHOD(Fixture, "more than may wait or be held is refused at once", "[egress]") {
  Gate gate;
  RawServer server([&](const RawRequest&) {
    gate.pass();
    return http_answer(200);
  });
  Engine engine(
      {.max_in_flight = 1, .max_per_origin = 1, .max_waiting = 1, .max_held_bytes = 10'000},
      metrics);
  const auto ignore = [](const Outcome&) {};
  REQUIRE(engine.send(&owner, request_to(server.url() + "/"), ignore).id != 0);
  REQUIRE(wait_until(kPatience, [&] { return gate.waiting() == 1; }));
  Request large = request_to(server.url() + "/");
  large.max_response_bytes = 9'000;
  CHECK(engine.send(&owner, std::move(large), ignore).fault.detail ==
        "bodies and announced answers of all requests would exceed 10000 bytes");
  REQUIRE(engine.send(&owner, request_to(server.url() + "/"), ignore).id != 0);
  const auto full = engine.send(&owner, request_to(server.url() + "/"), ignore);
  CHECK(full.id == 0);
  CHECK(full.fault.code == Code::kResourceExhausted);
  CHECK(full.fault.reason == "egress_full");
  gate.open();
}

TEST_CASE_METHOD(Fixture, "a request that waits for its turn has its deadline too", "[egress]") {
  Gate gate;
  RawServer server([&](const RawRequest&) {
    gate.pass();
    return http_answer(200);
  });
  Engine engine({.max_in_flight = 1, .max_per_origin = 1, .max_waiting = 4}, metrics);
  REQUIRE(engine.send(&owner, request_to(server.url() + "/"), [](const Outcome&) {}).id != 0);
  REQUIRE(wait_until(kPatience, [&] { return gate.waiting() == 1; }));
  const auto outcome = fetch(engine, request_to(server.url() + "/", 50ms));
  CHECK(outcome.fault.reason == "deadline");
  CHECK(outcome.fault.detail.find("turn did not come") != std::string::npos);
  gate.open();
}

TEST_CASE_METHOD(Fixture, "a request ends when it is cancelled, by its owner only", "[egress]") {
  Gate gate;
  RawServer server([&](const RawRequest&) {
    gate.pass();
    return http_answer(200);
  });
  Engine engine({}, metrics);
  std::promise<Fault> ended;
  const auto sent = engine.send(&owner, request_to(server.url() + "/"),
                                [&](const Outcome& outcome) { ended.set_value(outcome.fault); });
  REQUIRE(wait_until(kPatience, [&] { return gate.waiting() == 1; }));
  const int stranger = 0;
  CHECK_FALSE(engine.cancel(&stranger, sent.id));
  CHECK(engine.cancel(&owner, sent.id));
  auto future = ended.get_future();
  REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
  CHECK(future.get().code == Code::kCancelled);
  CHECK_FALSE(engine.cancel(&owner, sent.id));
  gate.open();
}

TEST_CASE_METHOD(Fixture, "withdrawing ends what is under way and what waits before it returns",
                 "[egress]") {
  Gate gate;
  RawServer server([&](const RawRequest&) {
    gate.pass();
    return http_answer(200);
  });
  Engine engine({.max_in_flight = 2, .max_per_origin = 2, .max_waiting = 8}, metrics);
  std::atomic<int> ended{0};
  std::atomic<int> withdrawn{0};
  for (int i = 0; i < 6; ++i) {
    REQUIRE(engine
                .send(&owner, request_to(server.url() + "/"),
                      [&](const Outcome& outcome) {
                        withdrawn += outcome.fault.reason == "withdrawn" ? 1 : 0;
                        ++ended;
                      })
                .id != 0);
  }
  REQUIRE(wait_until(kPatience, [&] { return gate.waiting() == 2; }));
  engine.withdraw(&owner);
  CHECK(ended == 6);
  CHECK(withdrawn == 6);
  const auto after = engine.send(&owner, request_to(server.url() + "/"), [](const Outcome&) {});
  CHECK(after.fault.code == Code::kUnavailable);
  CHECK(after.fault.reason == "withdrawn");
  const int another = 0;
  std::promise<void> went;
  REQUIRE(
      engine
          .send(&another, request_to(server.url() + "/"), [&](const Outcome&) { went.set_value(); })
          .id != 0);
  gate.open();
  CHECK(went.get_future().wait_for(kPatience) == std::future_status::ready);
}

TEST_CASE_METHOD(Fixture, "a completion may send the next request", "[egress]") {
  RawServer server([](const RawRequest&) { return http_answer(200); });
  Engine engine({.max_in_flight = 1, .max_per_origin = 1, .max_waiting = 1}, metrics);
  std::atomic<int> answered{0};
  std::function<void(const Outcome&)> again = [&](const Outcome&) {
    if (++answered < 10) {
      engine.send(&owner, request_to(server.url() + "/"), again);
    }
  };
  engine.send(&owner, request_to(server.url() + "/"), again);
  CHECK(wait_until(kPatience, [&] { return answered == 10; }));
  engine.stop();
}

TEST_CASE_METHOD(Fixture, "a kept connection is used again, and one that was closed is not missed",
                 "[egress]") {
  std::atomic<std::uint64_t> connection{0};
  std::atomic<bool> close{false};
  RawServer server([&](const RawRequest& request) {
    connection = request.connection;
    auto answer = http_answer(200, request.body);
    answer.close = close;
    return answer;
  });
  Engine engine({}, metrics);
  for (int i = 0; i < 3; ++i) {
    close = i == 1;  // without saying so in the answer
    Request request = request_to(server.url() + "/");
    request.method = "PUT";
    request.body = "body";
    const auto outcome = fetch(engine, std::move(request));
    REQUIRE(outcome.response);
    CHECK(outcome.response->body == "body");
    CHECK(connection == (i < 2 ? 1 : 2));
  }
}

}  // namespace
}  // namespace plexsphere::host::egress
