// Signatures: ours against those that AWS published, the verifier of the tests against the same,
// and then each against the other, with everything that must not pass.
#include <algorithm>
#include <catch2/catch.hpp>
#include <future>

#include "host/egress/check.hpp"
#include "host/egress/engine.hpp"
#include "support/s3_server.hpp"
#include "support/sigv4.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"

namespace plexsphere::host::egress {
namespace {

using namespace std::chrono_literals;
using test_support::http_answer;
using test_support::RawRequest;
using test_support::RawServer;
using test_support::S3Server;
using test_support::sigv4_signature;

constexpr auto kPatience = 20s;
constexpr const char* kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

config::Secret secret_of(const std::string& text) {
  return config::Secret(std::vector<char>(text.begin(), text.end()));
}

// A request with the signature that AWS published for it.
struct Vector {
  std::string name;
  std::string method;
  std::string host;
  std::string target;
  Headers headers;  // signed besides Host and X-Amz-Date
  std::string body;
  std::string signature;
};

// "Signature Version 4 test suite": us-east-1, service "service", 20150830T123600Z.
struct Suite {
  std::string service;
  std::string access_key;
  std::string secret;
  std::string date;
  std::vector<Vector> vectors;
};

const Suite& general_suite() {
  const std::string host = "example.amazonaws.com";
  static const Suite suite{"service",
                           "AKIDEXAMPLE",
                           "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                           "20150830T123600Z",
                           {{"get-vanilla",
                             "GET",
                             host,
                             "/",
                             {},
                             "",
                             "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
                            {"get-vanilla-query-order-key-case",
                             "GET",
                             host,
                             "/?Param2=value2&Param1=value1",
                             {},
                             "",
                             "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
                            {"get-vanilla-empty-query-key",
                             "GET",
                             host,
                             "/?Param1=value1",
                             {},
                             "",
                             "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
                            {"get-unreserved",
                             "GET",
                             host,
                             "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                             {},
                             "",
                             "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
                            {"get-vanilla-utf8-query",
                             "GET",
                             host,
                             "/?%E1%88%B4=bar",
                             {},
                             "",
                             "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
                            {"get-header-value-trim",
                             "GET",
                             host,
                             "/",
                             {{"My-Header1", "value1"}, {"My-Header2", "\"a   b   c\""}},
                             "",
                             "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
                            {"post-vanilla",
                             "POST",
                             host,
                             "/",
                             {},
                             "",
                             "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"}}};
  return suite;
}

// "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
const Suite& s3_suite() {
  const std::string host = "examplebucket.s3.amazonaws.com";
  static const Suite suite{
      "s3",
      "AKIAIOSFODNN7EXAMPLE",
      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
      "20130524T000000Z",
      {{"GET Object",
        "GET",
        host,
        "/test.txt",
        {{"Range", "bytes=0-9"}},
        "",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
       {"PUT Object",
        "PUT",
        host,
        "/test%24file.text",
        {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
        "Welcome to Amazon S3.",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
       {"GET Bucket Lifecycle",
        "GET",
        host,
        "/?lifecycle",
        {},
        "",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
       {"GET Bucket (List Objects)",
        "GET",
        host,
        "/?prefix=J&max-keys=2",
        {},
        "",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}}};
  return suite;
}

// What the engine sends for a vector, as a server sees it.
RawRequest sent_for(const Suite& suite, const Vector& vector) {
  RawRequest seen;
  RawServer server([&](const RawRequest& request) {
    seen = request;
    return http_answer(200);
  });
  Request request;
  request.method = vector.method;
  REQUIRE_FALSE(set_url(request, "http://" + vector.host + vector.target));
  request.headers = vector.headers;
  request.body = vector.body;
  request.deadline = std::chrono::steady_clock::now() + kPatience;
  request.max_response_bytes = 1024;
  request.connect_to = server.authority();
  request.signature.emplace();
  *request.signature = {"us-east-1", suite.service, suite.access_key, secret_of(suite.secret)};
  const auto fault = make_signable(request);
  INFO((fault ? fault->detail : ""));
  REQUIRE_FALSE(fault);
  request.headers.emplace_back("X-Amz-Date", suite.date);  // as only the signer may
  telemetry::Metrics metrics;
  Engine engine({}, metrics);
  std::promise<Outcome> done;
  REQUIRE(
      engine.send(nullptr, std::move(request), [&](const Outcome& o) { done.set_value(o); }).id !=
      0);
  REQUIRE(done.get_future().get().response);
  return seen;
}

TEST_CASE("what is signed here is signed as AWS published", "[egress]") {
  for (const Suite* suite : {&general_suite(), &s3_suite()}) {
    for (const Vector& vector : suite->vectors) {
      INFO(vector.name);
      const std::string header = sent_for(*suite, vector).only("authorization").value_or("");
      INFO(header);
      CHECK(header.ends_with(", Signature=" + vector.signature));
      CHECK(header.starts_with("AWS4-HMAC-SHA256 Credential=" + suite->access_key + "/" +
                               suite->date.substr(0, 8) + "/us-east-1/" + suite->service +
                               "/aws4_request, SignedHeaders="));
    }
  }
}

TEST_CASE("the verifier of the tests computes what AWS published", "[egress]") {
  for (const Suite* suite : {&general_suite(), &s3_suite()}) {
    for (const Vector& vector : suite->vectors) {
      INFO(vector.name);
      RawRequest request{vector.method, vector.target, {}, vector.body};
      request.headers = {{"Host", vector.host}, {"X-Amz-Date", suite->date}};
      std::vector<std::string> names{"host", "x-amz-date"};
      if (suite->service == "s3") {
        request.headers.emplace_back(
            "x-amz-content-sha256", vector.body.empty()
                                        ? kEmptyHash
                                        : "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b8"
                                          "03f8b072");
        names.emplace_back("x-amz-content-sha256");
      }
      for (const auto& [name, value] : vector.headers) {
        request.headers.emplace_back(name, value);
        std::string lower = name;
        std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
        names.push_back(lower);
      }
      std::sort(names.begin(), names.end());
      CHECK(sigv4_signature(request, names, "us-east-1", suite->service, suite->secret) ==
            vector.signature);
    }
  }
  // Two that the signer refuses or sends otherwise, for the verifier alone.
  RawRequest form{"POST", "/", {}, "Param1=value1"};
  form.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                  {"Host", "example.amazonaws.com"},
                  {"X-Amz-Date", "20150830T123600Z"}};
  CHECK(sigv4_signature(form, {"content-type", "host", "x-amz-date"}, "us-east-1", "service",
                        general_suite().secret) ==
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
  RawRequest twice{"GET", "/", {}, ""};
  twice.headers = {{"Host", "example.amazonaws.com"},
                   {"My-Header1", "value2"},
                   {"My-Header1", "value2"},
                   {"My-Header1", "value1"},
                   {"X-Amz-Date", "20150830T123600Z"}};
  CHECK(sigv4_signature(twice, {"host", "my-header1", "x-amz-date"}, "us-east-1", "service",
                        general_suite().secret) ==
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
}

// Our client and the strict store.
struct Store {
  explicit Store(test_support::S3Options options = {}) : server(std::move(options)) {}

  Outcome ask(const std::string& method, const std::string& target, const std::string& body = {},
              Headers headers = {}, const std::string& secret = "",
              const std::string& access_key = "AKIDEXAMPLE",
              const std::string& region = "eu-central-1") {
    Request request;
    request.method = method;
    REQUIRE_FALSE(set_url(request, server.url() + target));
    request.headers = std::move(headers);
    request.body = body;
    request.deadline = std::chrono::steady_clock::now() + kPatience;
    request.max_response_bytes = 64 * 1024;
    request.ca_file = server.options().server.certificate.string();
    request.signature.emplace();
    *request.signature = {region, "s3", access_key,
                          secret_of(secret.empty() ? server.options().secret_key : secret)};
    REQUIRE_FALSE(make_signable(request));
    std::promise<Outcome> done;
    auto future = done.get_future();
    REQUIRE(
        engine.send(this, std::move(request), [&](const Outcome& o) { done.set_value(o); }).id !=
        0);
    return future.get();
  }

  // "403 SignatureDoesNotMatch".
  static std::string told(const Outcome& outcome) {
    if (!outcome.response) {
      return outcome.fault.reason;
    }
    const auto& body = outcome.response->body;
    const auto at = body.find("<Code>");
    return std::to_string(outcome.response->status) +
           (at == std::string::npos ? ""
                                    : " " + body.substr(at + 6, body.find("</Code>") - at - 6));
  }

  S3Server server;
  telemetry::Metrics metrics;
  Engine engine{{}, metrics};
};

TEST_CASE("the store takes what is signed right, and gives it back", "[egress]") {
  Store store;
  const std::string body = "zstd bytes";
  const auto put = store.ask("PUT", "/bucket/audit/a%20b/1.json.zst", body,
                             {{"Content-Type", "application/zstd"}, {"If-None-Match", "*"}});
  REQUIRE(Store::told(put) == "200");
  const auto get = store.ask("GET", "/bucket/audit/a%20b/1.json.zst");
  REQUIRE(Store::told(get) == "200");
  CHECK(get.response->body == body);
  CHECK(get.response->headers == Headers{{"etag", store.server.objects().begin()->second.etag},
                                         {"content-length", std::to_string(body.size())}});
  CHECK(Store::told(store.ask("HEAD", "/bucket/audit/a%20b/1.json.zst")) == "200");
  CHECK(Store::told(store.ask("HEAD", "/bucket/audit/2")) == "404");
  CHECK(Store::told(store.ask("PUT", "/bucket/audit/a%20b/1.json.zst", "other",
                              {{"If-None-Match", "*"}})) == "412 PreconditionFailed");
  const auto list = store.ask("GET", "/bucket?list-type=2&prefix=audit%2F");
  REQUIRE(Store::told(list) == "200");
  CHECK(list.response->body.find("<Key>audit/a b/1.json.zst</Key>") != std::string::npos);
}

TEST_CASE("the same over TLS", "[egress]") {
  const test_support::TempDir directory;
  const auto certificate = test_support::make_test_certificate(directory.path());
  test_support::S3Options options;
  options.server = {"127.0.0.1", certificate.certificate, certificate.key};
  Store store(options);
  CHECK(Store::told(store.ask("PUT", "/bucket/k", std::string(2'000'000, 'x'))) == "200");
  CHECK(store.server.objects().at("k").body.size() == 2'000'000);
}

TEST_CASE("the store refuses a wrong key, name or region", "[egress]") {
  Store store;
  CHECK(Store::told(store.ask("PUT", "/bucket/k", "b", {}, "another secret")) ==
        "403 SignatureDoesNotMatch");
  CHECK(Store::told(store.ask("PUT", "/bucket/k", "b", {}, "", "AKIDOTHER")) ==
        "403 InvalidAccessKeyId");
  CHECK(Store::told(store.ask("PUT", "/bucket/k", "b", {}, "", "AKIDEXAMPLE", "us-east-1")) ==
        "403 AuthorizationHeaderMalformed");
  CHECK(store.server.objects().empty());
}

TEST_CASE("the store refuses a date that is too far away", "[egress]") {
  for (const auto away : {-16min, 16min}) {
    test_support::S3Options options;
    options.clock = [away] { return std::chrono::system_clock::now() + away; };
    Store store(options);
    CHECK(Store::told(store.ask("GET", "/bucket/k")) == "403 RequestTimeTooSkewed");
  }
  test_support::S3Options options;
  options.clock = [] { return std::chrono::system_clock::now() + 14min; };
  Store store(options);
  CHECK(Store::told(store.ask("GET", "/bucket/k")) == "404 NoSuchKey");
}

// A request that was signed right, to be altered.
RawRequest captured() {
  RawRequest seen;
  RawServer server([&](const RawRequest& request) {
    seen = request;
    return http_answer(200);
  });
  Request request;
  request.method = "PUT";
  REQUIRE_FALSE(set_url(request, server.url() + "/bucket/k?a=1"));
  request.headers = {{"Content-Type", "application/zstd"},
                     {"x-amz-object-lock-mode", "COMPLIANCE"}};
  request.body = "body";
  request.deadline = std::chrono::steady_clock::now() + kPatience;
  request.max_response_bytes = 1024;
  request.signature.emplace();
  *request.signature = {"eu-central-1", "s3", "AKIDEXAMPLE", secret_of("secret")};
  REQUIRE_FALSE(make_signable(request));
  telemetry::Metrics metrics;
  Engine engine({}, metrics);
  std::promise<void> done;
  REQUIRE(engine.send(nullptr, std::move(request), [&](const Outcome&) { done.set_value(); }).id !=
          0);
  done.get_future().wait();
  return seen;
}

std::string judged(const RawRequest& request, std::chrono::minutes later = 0min) {
  return test_support::sigv4_refusal(
      request, {"eu-central-1", "s3",
                [](const std::string&) { return std::optional<std::string>("secret"); },
                std::chrono::system_clock::now() + later});
}

TEST_CASE("nothing of a signed request can be altered, added, removed or sent again later",
          "[egress]") {
  const RawRequest good = captured();
  REQUIRE(judged(good).empty());
  CHECK(judged(good, 14min).empty());
  CHECK(judged(good, 16min) == "RequestTimeTooSkewed");

  for (std::size_t i = 0; i < good.headers.size(); ++i) {
    const std::string name = good.headers[i].first;
    if (name == "User-Agent" || name == "Accept" || name == "Content-Length" || name == "Expect") {
      continue;  // not signed by anybody
    }
    INFO(name);
    RawRequest altered = good;
    altered.headers[i].second += "x";
    CHECK_FALSE(judged(altered).empty());
    RawRequest without = good;
    without.headers.erase(without.headers.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(judged(without).empty());
    RawRequest doubled = good;
    doubled.headers.push_back(good.headers[i]);
    CHECK_FALSE(judged(doubled).empty());
  }
  RawRequest added = good;
  added.headers.emplace_back("x-amz-acl", "public-read");
  CHECK(judged(added) == "AccessDenied");
  RawRequest body = good;
  body.body = "Body";
  CHECK(judged(body) == "XAmzContentSHA256Mismatch");
  // With the hash made to fit, the signature no longer does.
  for (auto& [name, value] : body.headers) {
    if (name == "x-amz-content-sha256") {
      value = test_support::hex_sha256("Body");
    }
  }
  CHECK(judged(body) == "SignatureDoesNotMatch");
  for (const auto& [method, target] :
       {std::pair("POST", "/bucket/k?a=1"), std::pair("PUT", "/bucket/l?a=1"),
        std::pair("PUT", "/bucket/k?a=2"), std::pair("PUT", "/bucket/k")}) {
    RawRequest other = good;
    other.method = method;
    other.target = target;
    CHECK(judged(other) == "SignatureDoesNotMatch");
  }
}

TEST_CASE("the store fails, cuts and waits when it is told to", "[egress]") {
  Store store;
  store.server.fail(1, 503, "SlowDown");
  CHECK(Store::told(store.ask("PUT", "/bucket/k", "b")) == "503 SlowDown");
  CHECK(store.server.objects().empty());
  store.server.cut_after_store(1);
  CHECK(Store::told(store.ask("PUT", "/bucket/k", "b")) == "broken");
  CHECK(store.server.objects().count("k") == 1);
  CHECK(Store::told(store.ask("PUT", "/bucket/k", "b",
                              {{"x-amz-object-lock-mode", "COMPLIANCE"},
                               {"x-amz-object-lock-retain-until-date", "2033-01-01T00:00:00Z"}})) ==
        "400 InvalidRequest");
  CHECK(Store::told(store.ask("PUT", "/bucket/k", "b", {{"x-amz-checksum-sha256", "AAAA"}})) ==
        "400 BadDigest");
  CHECK(store.server.puts() == 1);
}

}  // namespace
}  // namespace plexsphere::host::egress
