// How often an address may call, and what is told of what the engine refuses.
#include <thread>

#include "fixture.hpp"
#include "host/http/pipeline/rate_limit.hpp"
#include "host/http/pipeline/refusals.hpp"

namespace plexsphere::host::http {
namespace {

using namespace testing;  // NOLINT: test
using Clock = std::chrono::steady_clock;

const Clock::time_point kStart{1h};

int allowed(RateLimiter& limiter, std::string_view address, Clock::time_point now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) {
    count += limiter.refuse(address, now) ? 0 : 1;
  }
  return count;
}

TEST_CASE("an address may burst, then call at its rate", "[http]") {
  RateLimiter limiter(10, 5);
  CHECK(allowed(limiter, "192.0.2.1", kStart, 20) == 5);
  CHECK(limiter.refuse("192.0.2.1", kStart) == Clock::duration(100ms));
  CHECK(limiter.refuse("192.0.2.1", kStart + 30ms) == Clock::duration(70ms));
  CHECK(allowed(limiter, "192.0.2.1", kStart + 100ms, 20) == 1);
  CHECK(allowed(limiter, "192.0.2.1", kStart + 400ms, 20) == 3);
  CHECK(allowed(limiter, "192.0.2.1", kStart + 1h, 20) == 5);
}

TEST_CASE("an IPv6 address counts by its /64, an IPv4 address by itself in either form", "[http]") {
  RateLimiter limiter(1, 2);
  CHECK(allowed(limiter, "2001:db8:1:2::1", kStart, 1) == 1);
  CHECK(allowed(limiter, "2001:db8:1:2:ffff::9", kStart, 9) == 1);
  CHECK(allowed(limiter, "2001:db8:1:3::1", kStart, 9) == 2);
  CHECK(allowed(limiter, "192.0.2.1", kStart, 9) == 2);
  CHECK(allowed(limiter, "::ffff:192.0.2.1", kStart, 9) == 0);
  CHECK(allowed(limiter, "192.0.2.2", kStart, 9) == 2);
}

TEST_CASE("no rate and no address mean no limit", "[http]") {
  RateLimiter off(0, 1);
  CHECK(allowed(off, "192.0.2.1", kStart, 100) == 100);
  RateLimiter limiter(1, 1);
  CHECK(allowed(limiter, "", kStart, 100) == 100);
}

TEST_CASE("more addresses than the table holds cost no memory and no honest caller", "[http]") {
  RateLimiter limiter(1, 3);
  int refused = 0;
  for (unsigned i = 0; i < 4 * RateLimiter::kEntries; ++i) {
    const std::string address = "10." + std::to_string(i >> 16) + "." +
                                std::to_string((i >> 8) & 255) + "." + std::to_string(i & 255);
    refused += limiter.refuse(address, kStart) ? 1 : 0;
  }
  CHECK(refused == 0);
  CHECK(allowed(limiter, "192.0.2.1", kStart, 9) == 3);
  // Those that owe most are the last to be forgotten.
  for (unsigned i = 0; i < RateLimiter::kEntries / 2; ++i) {
    (void)limiter.refuse("172.16." + std::to_string(i >> 8) + "." + std::to_string(i & 255),
                         kStart);
  }
  CHECK(allowed(limiter, "192.0.2.1", kStart, 9) == 0);
}

TEST_CASE("many threads share one limit exactly", "[http]") {
  RateLimiter limiter(1, 100);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { taken += allowed(limiter, "192.0.2.1", kStart, 100); });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  CHECK(taken == 100);
}

struct Limited : Fixture {
  Limited()
      : Fixture(RouterOptions{.trusted_proxies = {*IpPrefix::parse("10.0.0.0/8")},
                              .unauthenticated_rate = 1,
                              .unauthenticated_burst = 2}) {
    Route probe = make("GET", "/livez", PX_AUTH_NONE);
    probe.builtin = [](const Request&) { return Response{200, "", "", {}}; };
    REQUIRE(router_.add(probe).ok());
  }
  Response from(const std::string& peer, Headers headers = {}, const char* target = "/open") {
    handled_ = 0;
    const auto reply = std::make_shared<Waiting>();
    router_.handle({{"GET", target, std::move(headers), peer}, "", false}, reply);
    return reply->wait();
  }
};

TEST_CASE_METHOD(Limited, "calls without authentication beyond the rate are 429", "[http]") {
  CHECK(from("192.0.2.1").status == 204);
  CHECK(from("192.0.2.1").status == 204);
  const auto answer = from("192.0.2.1");
  CHECK(answer.status == 429);
  CHECK(handled_ == 0);
  CHECK(code(answer) == "rate_limited");
  CHECK(header_of(answer, "Retry-After") == "1");
  CHECK(metrics_.render().find("plexsphere_http_rate_limited_total 1") != std::string::npos);
  CHECK(from("192.0.2.2").status == 204);
}

TEST_CASE_METHOD(Limited, "probes and authenticated calls are not limited", "[http]") {
  for (int i = 0; i < 10; ++i) {
    CHECK(from("192.0.2.1", {}, "/livez").status == 200);
    CHECK(from("192.0.2.1", {{"authorization", "Bearer t"}}, "/self").status == 204);
  }
}

TEST_CASE_METHOD(Limited, "behind a proxy it is the client that counts, however it is told",
                 "[http]") {
  for (int i = 0; i < 5; ++i) {
    const std::string client = "192.0.2." + std::to_string(i);
    CHECK(from("10.0.0.1", {{"x-forwarded-for", client}}).status == 204);
  }
  int refused = 0;
  for (int i = 0; i < 5; ++i) {  // what the client claims comes first, what the proxy saw last
    const std::string claim = "198.51.100." + std::to_string(i);
    refused +=
        from("10.0.0.1", {{"x-forwarded-for", claim}, {"x-forwarded-for", "203.0.113.1"}}).status ==
                429
            ? 1
            : 0;
  }
  CHECK(refused >= 2);
}

Request aged(const char* target, Clock::duration age) {
  return {{"GET", target, {}, "127.0.0.1"}, "", false, Clock::now() - age};
}

TEST_CASE_METHOD(Fixture, "a request whose time went by before its worker came is not begun",
                 "[http]") {
  const auto answer = call_with(aged("/open", 31s));
  CHECK(answer.status == 503);
  CHECK(code(answer) == "request_deadline_exceeded");
  CHECK(handled_ == 0);
  CHECK(metrics_.render().find("plexsphere_http_deadlines_exceeded_total 1") != std::string::npos);
  CHECK(router_.unanswered() == 0);
}

TEST_CASE_METHOD(Fixture, "what a request waited for its worker is a part of its duration",
                 "[http]") {
  CHECK(call_with(aged("/open", 5s)).status == 204);
  const std::string sum =
      "plexsphere_http_request_duration_seconds_sum{method=\"GET\",route=\"/open\"} ";
  const std::string text = metrics_.render();
  const auto at = text.find(sum);
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(text.substr(at + sum.size())) >= 5.0);
}

// Handlers that answer when the test is over.
struct Pending : Fixture {
  Pending() {
    Route route = make("GET", "/pending", PX_AUTH_NONE);
    route.ctx = this;
    route.handle = [](void* self, const px_request*, const px_responder* responder) {
      static_cast<Pending*>(self)->responders_.push_back(*responder);
    };
    REQUIRE(router_.add(std::move(route)).ok());
  }
  ~Pending() {
    px_response response{};
    response.struct_size = sizeof(response);
    response.status = 204;
    for (const auto& responder : responders_) {
      responder.respond(responder.self, &response);
    }
  }
  std::vector<px_responder> responders_;
};

TEST_CASE_METHOD(Pending, "a request that comes late from the line ends in its time all the same",
                 "[http]") {
  for (int i = 0; i < 200; ++i) {  // in each part of what is watched
    router_.handle(aged("/pending", 0s), std::make_shared<Waiting>());
  }
  const auto late = std::make_shared<Waiting>();
  router_.handle(aged("/pending", 29s + 900ms), late);
  CHECK(late->wait().status == 503);
  CHECK(router_.unanswered() == 200);
}

TEST_CASE_METHOD(Fixture, "a refusal of the engine is a problem document, counted and logged",
                 "[http]") {
  const Refusal refusal{503, "overloaded", "Too many requests are waiting.", "queue_full", 3s};
  const auto answer = router_.refused(refusal, "192.0.2.1");
  CHECK(answer.status == 503);
  CHECK(answer.content_type == "application/problem+json");
  const auto body = nlohmann::json::parse(answer.body);
  CHECK(body["code"] == "overloaded");
  CHECK(body["type"] == "https://plexsphere.com/errors/overloaded");
  CHECK(body["detail"] == "Too many requests are waiting.");
  CHECK(body["correlation_id"] == header_of(answer, "X-Correlation-Id"));
  CHECK(header_of(answer, "Retry-After") == "3");
  CHECK(metrics_.render().find("plexsphere_http_refusals_total{reason=\"queue_full\"} 1") !=
        std::string::npos);
  const auto line = nlohmann::json::parse(log_text_.str());
  CHECK(line["event"] == "http.refused");
  CHECK(line["level"] == "info");
  CHECK(line["reason"] == "queue_full");
  CHECK(line["remote_ip"] == "192.0.2.1");
  const Refusal plain{400, "malformed_request", "A line ends badly.", "bare_lf", 0s};
  CHECK(header_of(router_.refused(plain, ""), "Retry-After") == "(absent)");
}

TEST_CASE("a flood of refusals is counted and summed up, not told one by one", "[http]") {
  std::ostringstream text;
  telemetry::Logger log("plexsphere", telemetry::Level::kInfo, text);
  telemetry::Metrics metrics;
  detail::Refusals refusals(log, metrics);
  const auto lines = [&text] {
    const std::string all = text.str();
    return std::count(all.begin(), all.end(), '\n');
  };
  const Refusal flood{400, "malformed_request", "", "bare_lf", 0s};
  const Refusal other{408, "request_timeout", "", "too_slow", 0s};
  for (int i = 0; i < 1000; ++i) {
    (void)refusals.answer(flood, "192.0.2.1", kStart + std::chrono::microseconds(i));
  }
  CHECK(lines() == 20);
  (void)refusals.answer(other, "192.0.2.1", kStart);
  CHECK(lines() == 21);
  refusals.tell_suppressed(kStart + 999ms);
  CHECK(lines() == 21);
  refusals.tell_suppressed(kStart + 1s);
  refusals.tell_suppressed(kStart + 2s);
  CHECK(lines() == 22);
  CHECK(text.str().find("\"event\":\"http.refusals_suppressed\",\"reason\":\"bare_lf\","
                        "\"count\":980}") != std::string::npos);
  (void)refusals.answer(flood, "192.0.2.1", kStart + 2s);
  CHECK(lines() == 23);
  CHECK(metrics.render().find("{reason=\"bare_lf\"} 1001") != std::string::npos);
}

}  // namespace
}  // namespace plexsphere::host::http
