#include "host/http/wire/head.hpp"

#include "host/http/wire/tests/head_support.hpp"

namespace plexsphere::host::http::wire {
namespace {

struct Accepted {
  std::string bytes;
  const char* told;
};

const std::vector<Accepted>& accepted() {
  static const std::vector<Accepted> all{
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 keep"},
      {"GET / HTTP/1.0\r\n\r\n", "GET / 1.0 close"},
      {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / 1.0 keep"},
      {"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", "GET / 1.0 close"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x ,\t CLOSE\r\n\r\n", "GET / 1.1 close"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nconnection: close\r\n\r\n",
       "GET / 1.1 close"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "GET / 1.1 keep"},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 keep"},
      {"GET /v1/x?a=%20&b[]={1}|2 HTTP/1.1\r\nHost: a\r\n\r\n",
       "GET /v1/x?a=%20&b[]={1}|2 1.1 keep"},
      {"GET //double/../x HTTP/1.1\r\nHost: a\r\n\r\n", "GET //double/../x 1.1 keep"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 keep"},
      {"GET http://a:80/x?y HTTP/1.1\r\nHost: A:80\r\n\r\n", "GET /x?y 1.1 keep"},
      {"GET HTTPS://[::1]/ HTTP/1.1\r\nHost: [::1]\r\n\r\n", "GET / 1.1 keep"},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", "get / 1.1 keep"},
      {"M!#$%&'*+-.^_`|~09 / HTTP/1.1\r\nHost: a\r\n\r\n", "M!#$%&'*+-.^_`|~09 / 1.1 keep"},
      {std::string(32, 'M') + " / HTTP/1.0\r\n\r\n",
       "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM / 1.0 close"},
      {"POST / HTTP/1.1\r\nHost:a\r\nContent-Length:5\r\n\r\nhello", "POST / 1.1 keep length 5"},
      {"POST / HTTP/1.1\r\nHost: a\r\ncOnTeNt-LeNgTh: \t 0007 \t\r\n\r\n",
       "POST / 1.1 keep length 7"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST / 1.1 keep length 0"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n",
       "POST / 1.1 keep length 9223372036854775807"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
       "POST / 1.1 keep chunked"},
      {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n",
       "POST / 1.1 keep length 2 expect"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
       "POST / 1.1 keep chunked expect"},
      {"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", "GET / 1.1 keep"},
      {"POST / HTTP/1.0\r\nExpect: 200-maybe\r\nContent-Length: 2\r\n\r\n",
       "POST / 1.0 close length 2"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / 1.1 keep"},
      {"GET / HTTP/1.1\r\nHost: under_score.example-1.org:65535\r\n\r\n", "GET / 1.1 keep"},
      {"GET / HTTP/1.1\r\nHost: [fe80::1]:8080\r\n\r\n", "GET / 1.1 keep"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \t \r\nZ: a\tb  c\xff\x80\r\n\r\n", "GET / 1.1 keep"},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length-X: 1\r\nX-Host: b\r\n\r\n", "GET / 1.1 keep"},
  };
  return all;
}

TEST_CASE("a well-formed head is read as what it says", "[http][wire]") {
  for (const auto& item : accepted()) {
    CAPTURE(item.bytes);
    CHECK(told(check(item.bytes)) == item.told);
  }
}

TEST_CASE("however a head is cut into pieces, it reads the same", "[http][wire]") {
  for (const auto& item : accepted()) {
    CAPTURE(item.bytes);
    const auto whole = all_of(check(item.bytes), item.bytes);
    for (std::size_t step = 1; step < item.bytes.size(); ++step) {
      CHECK(fed_by(step, item.bytes) == whole);
    }
  }
}

TEST_CASE("a head that is not all there asks for more, and never looks beyond its end",
          "[http][wire]") {
  for (const auto& item : accepted()) {
    const auto result = check(item.bytes);
    const std::size_t size = std::get<Head>(result).size;
    for (std::size_t cut = 0; cut < size; ++cut) {
      CAPTURE(item.bytes, cut);
      CHECK(told(check(item.bytes.substr(0, cut))) == "more");
    }
    const auto only = item.bytes.substr(0, size);
    CHECK(all_of(check(only), only) == all_of(result, item.bytes));
    const auto followed = item.bytes.substr(0, size) + "\n\0\xff\x16"s;
    CHECK(all_of(check(followed), followed) == all_of(result, item.bytes));
  }
}

TEST_CASE("offsets tell where the request line begins and the head ends", "[http][wire]") {
  const auto bytes = "\r\nPUT /a HTTP/1.1\r\nHost: a\r\nX-Y:  z \r\nE:\r\n\r\nGET /next"sv;
  const auto result = check(bytes);
  const auto& head = std::get<Head>(result);
  CHECK(head.begin == 2);
  CHECK(bytes.substr(head.size) == "GET /next");
  CHECK(head.fields == "Host: a\r\nX-Y:  z \r\nE:\r\n");
  CHECK(head.field_count == 3);
  const std::vector<std::pair<std::string, std::string>> fields{
      {"Host", "a"}, {"X-Y", "z"}, {"E", ""}};
  CHECK(fields_of(head) == fields);
}

TEST_CASE("Poco reads every accepted head as we do", "[http][wire]") {
  for (const auto& item : accepted()) {
    CAPTURE(item.bytes);
    const auto result = check(item.bytes);
    const auto& head = std::get<Head>(result);
    const auto poco = read_with_poco(item.bytes, head);
    CHECK(poco.method == head.method);
    // An absolute target is cut down to its path.
    CHECK(std::string_view(poco.target).ends_with(head.target));
    CHECK(poco.version == (head.http11 ? "HTTP/1.1" : "HTTP/1.0"));
    CHECK(poco.fields == fields_of(head));
  }
}

// Why the host reads fields with next_field and not with Poco, which would make CR and LF of this.
TEST_CASE("an encoded word stays what was sent", "[http][wire]") {
  const auto bytes = "GET / HTTP/1.1\r\nHost: a\r\nX: =?utf-8?Q?a=0D=0AX:_y?=\r\n\r\n"s;
  const auto result = check(bytes);
  const auto& head = std::get<Head>(result);
  CHECK(fields_of(head).back().second == "=?utf-8?Q?a=0D=0AX:_y?=");
  CHECK(read_with_poco(bytes, head).fields.back().second == "a\r\nX: y");
}

TEST_CASE("the limits of a head count its bytes to the last one", "[http][wire]") {
  const auto head = "GET /abc HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"sv;
  HeadLimits limits;
  limits.bytes = head.size();
  CHECK(told(check(head, limits)) == "GET /abc 1.1 keep");
  --limits.bytes;
  CHECK(told(check(head, limits)) == "431 request_header_fields_too_large long_head");
  CHECK(told(check(head.substr(0, limits.bytes), limits)) ==
        "431 request_header_fields_too_large long_head");
  CHECK(told(check(head.substr(0, limits.bytes - 1), limits)) == "more");

  limits = {};
  limits.headers = 2;
  CHECK(told(check(head, limits)) == "GET /abc 1.1 keep");
  limits.headers = 1;
  CHECK(told(check(head, limits)) == "431 request_header_fields_too_large many_headers");

  limits = {};
  limits.target_bytes = 4;
  CHECK(told(check(head, limits)) == "GET /abc 1.1 keep");
  limits.target_bytes = 3;
  CHECK(told(check(head, limits)) == "414 uri_too_long long_target");
  CHECK(told(check(head.substr(0, 8), limits)) == "414 uri_too_long long_target");
  CHECK(told(check(head.substr(0, 7), limits)) == "more");
}

TEST_CASE("names and values have the longest size that Poco takes too", "[http][wire]") {
  HeadLimits limits;
  limits.bytes = 64 * 1024;
  const auto with = [](std::size_t name, std::size_t value) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(name, 'n') + ": " +
           std::string(value, 'v') + "\r\n\r\n";
  };
  const auto longest = with(256, 8192);
  const auto result = check(longest, limits);
  REQUIRE(told(result) == "GET / 1.1 keep");
  CHECK(read_with_poco(longest, std::get<Head>(result)).fields ==
        fields_of(std::get<Head>(result)));
  CHECK(told(check(with(257, 1), limits)) == "431 request_header_fields_too_large long_header");
  CHECK(told(check(with(1, 8193), limits)) == "431 request_header_fields_too_large long_header");
}

}  // namespace
}  // namespace plexsphere::host::http::wire
