// What a request may look like: bodies and their codings, methods, queries, and the engine's plan.
#include <zlib.h>

#include "fixture.hpp"

namespace plexsphere::host::http {
namespace {

using namespace testing;  // NOLINT: test

std::string gzip(const std::string& plain) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) ==
          Z_OK);
  std::string out(::deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

// A route whose handler notes what it is told of proxies.
struct Forwarded : Fixture {
  Forwarded() : Fixture(RouterOptions{.trusted_proxies = {*IpPrefix::parse("10.0.0.0/8")}}) {
    Route route = make("GET", "/seen", PX_AUTH_NONE);
    route.ctx = this;
    route.handle = [](void* self, const px_request* request, const px_responder* responder) {
      auto& seen = static_cast<Forwarded*>(self)->seen_;
      for (std::uint64_t i = 0; i < request->header_count; ++i) {
        seen += text(request->headers[i].name) + "=" + text(request->headers[i].value) + ";";
      }
      px_response response{};
      response.struct_size = sizeof(response);
      response.status = 204;
      responder->respond(responder->self, &response);
    };
    REQUIRE(router_.add(std::move(route)).ok());
  }
  std::string seen_from(const std::string& peer) {
    seen_.clear();
    const auto reply = std::make_shared<Waiting>();
    router_.handle({{"GET",
                     "/seen",
                     {{"x-forwarded-for", "192.0.2.1"},
                      {"accept", "*/*"},
                      {"x-forwarded-proto", "https"},
                      {"x-forwarded-host", "evil.example"},
                      {"forwarded", "for=192.0.2.1"},
                      {"forwarded-by", "me"}},
                     peer},
                    "",
                    false},
                   reply);
    CHECK(reply->wait().status == 204);
    return seen_;
  }
  std::string seen_;
};

TEST_CASE_METHOD(Forwarded, "what proxies say of a client reaches handlers from proxies only",
                 "[http]") {
  const std::string all =
      "x-forwarded-for=192.0.2.1;accept=*/*;x-forwarded-proto=https;"
      "x-forwarded-host=evil.example;forwarded=for=192.0.2.1;forwarded-by=me;";
  CHECK(seen_from("192.0.2.9") == "accept=*/*;forwarded-by=me;");
  CHECK(seen_from("10.0.0.1") == all);
  CHECK(seen_from("") == all);  // a unix socket, beside trusted proxies
}

class Bodies : public Fixture {
 public:
  Bodies() {
    Route route = make_handled(make("POST", "/report", PX_AUTH_NONE));
    route.body_limit = 1000;
    route.decoded_limit = 2000;
    route.too_large_code = "report_too_large";
    REQUIRE(router_.add(route).ok());
    Route plain = make_handled(make("POST", "/plain", PX_AUTH_OPERATOR));
    plain.body_limit = 1000;
    REQUIRE(router_.add(plain).ok());
  }

  Response post(const std::string& path, std::string body, Headers headers) {
    return call_with({{"POST", path, std::move(headers), "127.0.0.1"}, std::move(body), false});
  }
};

TEST_CASE_METHOD(Bodies, "a gzip body reaches the handler inflated, on any route", "[http]") {
  for (const char* coding : {"gzip", "x-gzip", "GZIP", "identity, gzip"}) {
    body_.clear();
    CHECK(post("/report", gzip("the report"), {{"content-encoding", coding}}).status == 204);
    CHECK(body_ == "the report");
  }
  const Headers both{{"content-encoding", "gzip"}, {"authorization", "Bearer t"}};
  CHECK(post("/plain", gzip("x"), both).status == 204);
  CHECK(body_ == "x");
  CHECK(post("/report", "as is", {{"content-encoding", "identity"}}).status == 204);
  CHECK(body_ == "as is");
  CHECK(post("/report", "", {{"content-encoding", "gzip"}}).status == 204);
}

TEST_CASE_METHOD(Bodies, "a body may decode to what its route takes and no more", "[http]") {
  const Headers gzipped{{"content-encoding", "gzip"}, {"authorization", "Bearer t"}};
  CHECK(post("/report", gzip(std::string(2000, 'a')), gzipped).status == 204);
  const auto large = post("/report", gzip(std::string(2001, 'a')), gzipped);
  CHECK(large.status == 413);
  CHECK(code(large) == "report_too_large");
  CHECK(post("/plain", gzip(std::string(1000, 'a')), gzipped).status == 204);
  CHECK(code(post("/plain", gzip(std::string(1001, 'a')), gzipped)) == "request_body_too_large");
}

TEST_CASE_METHOD(Bodies, "what is no gzip is told so, but only to who may call", "[http]") {
  Headers headers{{"content-encoding", "gzip"}};
  for (const std::string& bad : {std::string("nonsense"), gzip("cut").substr(0, 10)}) {
    const auto answer = post("/report", bad, headers);
    CHECK(answer.status == 400);
    CHECK(code(answer) == "invalid_content_encoding");
  }
  CHECK(post("/plain", "nonsense", headers).status == 401);
  headers.emplace_back("authorization", "Bearer t");
  CHECK(code(post("/plain", "nonsense", headers)) == "invalid_content_encoding");
}

TEST_CASE_METHOD(Bodies, "other codings are refused with the one that is taken", "[http]") {
  for (const Headers& headers :
       {Headers{{"content-encoding", "br"}}, Headers{{"content-encoding", "gzip, gzip"}},
        Headers{{"content-encoding", "gzip"}, {"content-encoding", "deflate"}}}) {
    const auto answer = post("/report", gzip("x"), headers);
    CHECK(answer.status == 415);
    CHECK(code(answer) == "unsupported_content_encoding");
    CHECK(header_of(answer, "Accept-Encoding") == "gzip");
  }
}

TEST_CASE_METHOD(Bodies, "a raw body beyond the ceiling is refused with the route's code",
                 "[http]") {
  const auto answer = call_with({{"POST", "/report", {}, "127.0.0.1"}, "", true});
  CHECK(answer.status == 413);
  CHECK(code(answer) == "report_too_large");
}

TEST_CASE_METHOD(Fixture, "the plan has the route's ceiling and lane", "[http]") {
  Route fast = make_handled(make("POST", "/fast/{id}", PX_AUTH_NODE));
  fast.flags = PX_ROUTE_FAST;
  fast.body_limit = 77;
  REQUIRE(router_.add(fast).ok());
  Route probe = make("GET", "/livez", PX_AUTH_NONE);
  probe.builtin = [](const Request&) { return Response{200, "", "", {}}; };
  REQUIRE(router_.add(probe).ok());
  Route off = make("POST", "/off", PX_AUTH_NONE);
  off.unprovisioned_code = "off_not_provisioned";
  REQUIRE(router_.add(off).ok());

  const auto planned = router_.plan("POST", "/fast/7?x=/y");
  CHECK(planned.body_limit == 77);
  CHECK(planned.lane == Lane::kFast);
  CHECK(router_.plan("GET", "/open").lane == Lane::kBlocking);
  CHECK(router_.plan("GET", "/open").body_limit == kDefaultBodyLimit);
  CHECK(router_.plan("GET", "/livez").lane == Lane::kFast);
  CHECK(router_.plan("HEAD", "/livez").lane == Lane::kFast);
  for (const auto& [method, target] : {std::pair{"POST", "/off"},
                                       {"GET", "/nowhere"},
                                       {"PUT", "/open"},
                                       {"GET", ""},
                                       {"GET", "*"}}) {
    const auto refused = router_.plan(method, target);
    CHECK(refused.body_limit == 0);
    CHECK(refused.lane == Lane::kFast);
  }
}

TEST_CASE_METHOD(Fixture, "HEAD is answered as GET and counted as HEAD, once there is one",
                 "[http]") {
  CHECK(metrics_.render().find("method=\"HEAD\"") == std::string::npos);
  CHECK(call("HEAD", "/open").status == 204);
  const auto text = metrics_.render();
  CHECK(text.find("plexsphere_http_requests_total{method=\"HEAD\",route=\"/open\",status=\"204\"} "
                  "1") != std::string::npos);
  CHECK(text.find("_count{method=\"HEAD\",route=\"/open\"} 1") != std::string::npos);
  CHECK(text.find("_count{method=\"GET\",route=\"/open\"} 0") != std::string::npos);
  CHECK(log_text_.str().find("\"method\":\"HEAD\"") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "a query and a path reach the handler decoded", "[http]") {
  struct Seen {
    std::string text;
  } seen;
  Route route = make("GET", "/find/{name}", PX_AUTH_NONE);
  route.ctx = &seen;
  route.handle = [](void* ctx, const px_request* request, const px_responder* responder) {
    auto& out = static_cast<Seen*>(ctx)->text;
    out = text(request->path_parameters[0].name) + "=" + text(request->path_parameters[0].value);
    for (std::uint64_t i = 0; i < request->query_count; ++i) {
      out += "&" + text(request->query[i].name) + "=" + text(request->query[i].value);
    }
    const px_response response{sizeof(px_response), 200, {}, {}, nullptr, 0};
    responder->respond(responder->self, &response);
  };
  REQUIRE(router_.add(route).ok());
  const auto seen_of = [&](const std::string& target) {
    const auto reply = std::make_shared<Waiting>();
    router_.handle({{"GET", target, {}, ""}, "", false}, reply);
    return std::to_string(reply->wait().status) + " " + seen.text;
  };
  CHECK(seen_of("/find/a?x=1&y") == "200 name=a&x=1&y=");
  CHECK(seen_of("/find/a%2Fb?x+y=%41%42&&z=a+b&=c") == "200 name=a/b&x y=AB&z=a b&=c");
}

TEST_CASE_METHOD(Fixture, "a denial carries the route's own code where it has one", "[http]") {
  Route route = guarded("GET", "/nodes/{id}/reachability");
  route.denied_code = "insufficient_relation";
  REQUIRE(router_.add(route).ok());
  ports_->decision = PX_REASON_INSUFFICIENT_RELATION;
  const auto answer = call("GET", "/nodes/" + kOther + "/reachability");
  CHECK(answer.status == 403);
  CHECK(code(answer) == "insufficient_relation");
  CHECK(code(call("GET", "/domains/" + kOther)) == "permission_denied");
}

TEST_CASE_METHOD(Fixture, "what a handler sets does not replace the host's own headers", "[http]") {
  Route route = make("GET", "/own", PX_AUTH_NONE);
  route.handle = [](void*, const px_request*, const px_responder* responder) {
    const px_pair headers[] = {{wire("x-correlation-id"), wire("forged")},
                               {wire("cache-control"), wire("max-age=60")},
                               {wire("Connection"), wire("close")}};
    const px_response response{sizeof(px_response), 200, {}, {}, headers, 3};
    responder->respond(responder->self, &response);
  };
  REQUIRE(router_.add(route).ok());
  const auto reply = std::make_shared<Waiting>();
  router_.handle({{"GET", "/own", {{"x-correlation-id", "mine"}}, ""}, "", false}, reply);
  const auto answer = reply->wait();
  CHECK(answer.headers == Headers{{"cache-control", "max-age=60"},
                                  {"X-Correlation-Id", "mine"},
                                  {"X-Content-Type-Options", "nosniff"}});
}

TEST_CASE_METHOD(Fixture, "a decoded limit beyond the host's own is refused", "[http]") {
  Route route = make("POST", "/x", PX_AUTH_NONE);
  route.decoded_limit = kLargestBodyLimit + 1;
  CHECK_FALSE(router_.add(route).ok());
}

}  // namespace
}  // namespace plexsphere::host::http
