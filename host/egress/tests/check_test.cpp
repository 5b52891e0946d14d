// What may leave the host at all, and what may be signed.
#include "host/egress/check.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::host::egress {
namespace {

Request get() {
  Request request;
  request.method = "GET";
  request.max_response_bytes = 1024;
  return request;
}

std::string refusal(const std::string& url) {
  Request request = get();
  const auto fault = set_url(request, url);
  return fault ? fault->reason : "";
}

TEST_CASE("a URL is an origin and a target that is sent as it stands", "[egress]") {
  Request request = get();
  REQUIRE_FALSE(set_url(request, "https://s3.example/bucket/a%2Fb?list-type=2&prefix=x%2F"));
  CHECK(request.origin.text() == "https://s3.example:443");
  CHECK(request.target == "/bucket/a%2Fb?list-type=2&prefix=x%2F");
  CHECK(request.url() == "https://s3.example:443/bucket/a%2Fb?list-type=2&prefix=x%2F");
}

TEST_CASE("a URL that two readers could read in two ways is refused", "[egress]") {
  for (const std::string url :
       {"", "/path", "https://s3.example", "//s3.example/", "file:///etc/passwd",
        "https://user@s3.example/", "https://s3.example\\@evil.example/", "https://s3.example/a b",
        "https://s3.example/#fragment", "https://s3.example/\n", "https://s3.example/%2",
        "https://s3.example/%zz", "https://s3.example/\xC3\xA9", "https://s3.example/[x]",
        "https://s3.example:443@evil.example/", "https://2130706433/", "https://s3.example?x=/"}) {
    INFO(url);
    CHECK(refusal(url) == "request_malformed");
  }
  CHECK(refusal("https://s3.example/" + std::string(kLongestUrl, 'a')) == "request_malformed");
}

TEST_CASE("method, body and ceiling are checked", "[egress]") {
  Request request = get();
  CHECK_FALSE(check_parts(request));
  for (const std::string method : {"get", "CONNECT", "TRACE", "", "GET /"}) {
    request.method = method;
    CHECK(check_parts(request)->detail.find("the method is none of") == 0);
  }
  request = get();
  request.body = "x";
  CHECK(check_parts(request)->detail == "a GET has no body");
  request = get();
  for (const std::size_t ceiling : {std::size_t{0}, kLargestResponse + 1}) {
    request.max_response_bytes = ceiling;
    CHECK(check_parts(request)->detail.find("max_response_bytes is 1 to 67108864") == 0);
  }
}

TEST_CASE("headers that would change the message's frame are refused", "[egress]") {
  for (const std::string name : {"Host", "content-length", "Transfer-Encoding", "CONNECTION",
                                 "Expect", "TE", "Proxy-Authorization", "Upgrade"}) {
    Request request = get();
    request.headers = {{name, "x"}};
    CHECK(check_parts(request)->detail == "the header '" + name + "' is the host's to set");
  }
  const Headers broken{{"a b", "x"},
                       {"", "x"},
                       {"a:", "x"},
                       {"a", "x\r\nb: c"},
                       {"a", ""},
                       {"a", " "},
                       {"a", std::string("x\0y", 3)},
                       {"a", "\xC3\xA9"}};
  for (const auto& header : broken) {
    INFO(header.first << ": " << header.second);
    Request request = get();
    request.headers = {header};
    CHECK(check_parts(request)->reason == "request_malformed");
  }
  Request request = get();
  request.headers.assign(kMostHeaders + 1, {"a", "x"});
  CHECK(check_parts(request)->detail.find("at most 64 headers") != std::string::npos);
  request.headers.assign(kMostHeaders, {"a", std::string(600, 'x')});
  CHECK(check_parts(request)->detail.find("at most 32768 bytes") != std::string::npos);
}

struct Signed {
  std::string target;
  std::string fault;
};

Signed signed_as(const std::string& target, const Headers& headers = {},
                 const std::string& service = "s3") {
  Request request = get();
  REQUIRE_FALSE(set_url(request, "https://s3.example" + target));
  request.headers = headers;
  request.signature.emplace();
  request.signature->region = "eu-central-1";
  request.signature->service = service;
  const auto fault = make_signable(request);
  return {request.target, fault ? fault->detail : ""};
}

TEST_CASE("the query of a signed request is sorted by name and then by value", "[egress]") {
  CHECK(signed_as("/b?prefix=J&max-keys=2").target == "/b?max-keys=2&prefix=J");
  CHECK(signed_as("/b?a=2&a-b=1&a=1").target == "/b?a=1&a=2&a-b=1");
  CHECK(signed_as("/b?lifecycle").target == "/b?lifecycle=");
  CHECK(signed_as("/b").target == "/b");
}

TEST_CASE("what signer and verifier could encode differently is not signed", "[egress]") {
  for (const std::string target : {"/a+b", "/a:b", "/a%2fb", "/b?x=a/b", "/b?x=%2f", "/b?x=a=b",
                                   "/b?", "/b?=x", "/b?a=1&&b=2", "/b?x=a+b"}) {
    INFO(target);
    CHECK_FALSE(signed_as(target).fault.empty());
  }
  CHECK(signed_as("/a%20b~c?x=%2F").fault.empty());
  CHECK(signed_as("/a%2Fb").fault.find("has no %2F") != std::string::npos);
  CHECK(signed_as("/a%20b", {}, "service").fault.find("another service than s3") !=
        std::string::npos);
  CHECK(signed_as("/a", {}, "S 3").fault.find("region and service") == 0);
}

TEST_CASE("headers that the signature owns or cannot order are refused", "[egress]") {
  for (const std::string name : {"Authorization", "X-Amz-Date", "x-amz-content-sha256"}) {
    CHECK(signed_as("/a", {{name, "x"}}).fault.find("is the signer's to set") != std::string::npos);
  }
  CHECK(
      signed_as("/a", {{"If-None-Match", "*"}, {"if-none-match", "*"}}).fault.find("begins with") !=
      std::string::npos);
  CHECK(
      signed_as("/a", {{"x-amz-object", "a"}, {"x-amz-object-lock-mode", "b"}})
          .fault.find("'x-amz-object-lock-mode' begins with the name of another, 'x-amz-object'") !=
      std::string::npos);
  CHECK(signed_as("/a", {{"x-amz-object-lock-mode", "a"},
                         {"x-amz-object-lock-retain-until-date", "b"},
                         {"If-None-Match", "*"},
                         {"Content-Type", "application/zstd"}})
            .fault.empty());
}

}  // namespace
}  // namespace plexsphere::host::egress
