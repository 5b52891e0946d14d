// What two parsers could read differently, over the wire: each shape gets its one answer, the
// connection ends behind it, and the request hidden in it or following it reaches nobody.
//
// head_hostile_test.cpp and chunked_test.cpp have the same for every byte, without a socket.
#include <catch2/catch.hpp>

#include "router_rig.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

using namespace std::string_literals;  // NOLINT: test

const std::string kSmuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

struct Shape {
  std::string bytes;
  const char* told;
};

std::string with(const std::string& fields, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n\r\n" + body;
}

std::string chunked(const std::string& body) {
  return with("Transfer-Encoding: chunked", body);
}

std::string line(const std::string& request_line) {
  return request_line + "\r\nHost: a\r\n\r\n";
}

// Where does the body end? Two answers to it are the classic ways to smuggle.
std::vector<Shape> lengths() {
  const char* malformed = "400 malformed_request";
  const char* coding = "501 transfer_encoding_not_supported";
  return {
      {with("Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), malformed},
      {with("Transfer-Encoding: chunked\r\nContent-Length: 48", "0\r\n\r\n"), malformed},
      {with("Transfer-Encoding: identity\r\nContent-Length: 5", "hello"), malformed},
      {with("Content-Length: 5\r\nContent-Length: 44", "hello"), malformed},
      {with("Content-Length: 5\r\ncontent-length: 5", "hello"), malformed},
      {with("Content-Length: 5, 5", "hello"), malformed},
      {with("Content-Length: +5", "hello"), malformed},
      {with("Content-Length: -5", "hello"), malformed},
      {with("Content-Length: 0x5", "hello"), malformed},
      {with("Content-Length: 5 5", "hello"), malformed},
      {with("Content-Length:", "hello"), malformed},
      {with("Content-Length: 18446744073709551621", "hello"), malformed},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"), malformed},
      {with("Transfer-Encoding: identity", "hello"), coding},
      {with("Transfer-Encoding: xchunked", "0\r\n\r\n"), coding},
      {with("Transfer-Encoding: chunked, identity", "0\r\n\r\n"), coding},
      {with("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), coding},
      {with("Transfer-Encoding: chunked;q=1", "0\r\n\r\n"), coding},
      {with("Transfer-Encoding: \x0b"
            "chunked",
            "0\r\n\r\n"),
       malformed},
      {"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", malformed},
  };
}

// Where does a line end, and where its name?
std::vector<Shape> lines() {
  const char* malformed = "400 malformed_request";
  return {
      {with("X: y\r\n Content-Length: 5", "hello"), malformed},
      {with("X: y\r\n\tz"), malformed},
      {"GET /x HTTP/1.1\r\n Host: a\r\n\r\n", malformed},
      {with("Content-Length : 5", "hello"), malformed},
      {with("Transfer-Encoding\t: chunked", "0\r\n\r\n"), malformed},
      {with("X: y\nContent-Length: 5", "hello"), malformed},
      {"GET /x HTTP/1.1\nHost: a\n\n", malformed},
      {"GET /x HTTP/1.1\r\nHost: a\r\n\n", malformed},
      {with("X: y\rContent-Length: 5", "hello"), malformed},
      {with("X: y\r\r"), malformed},
      {with("X: a\0b"s), malformed},
      {with("Content-Length\0: 5"s, "hello"), malformed},
      {with("no-colon"), malformed},
      {with(": empty"), malformed},
      {"\r\n\r\n" + line("GET /x HTTP/1.1"), malformed},
      {line(" GET /x HTTP/1.1"), malformed},
      {line("GET  /x HTTP/1.1"), malformed},
      {line("GET\t/x HTTP/1.1"), malformed},
      {line("GET /x  HTTP/1.1"), malformed},
      {line("GET /x"), malformed},
      {line("GET /x http/1.1"), malformed},
      {line("GET /x HTTP/1.1 HTTP/1.1"), malformed},
      {line("GET /x\r HTTP/1.1"), malformed},
      {line("GET /x#y HTTP/1.1"), malformed},
      {line("GET /\xc3\xa4 HTTP/1.1"), malformed},
      {line("GET /x HTTP/2.0"), "505 http_version_not_supported"},
      {line("GET /x HTTP/0.9"), "505 http_version_not_supported"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 http_version_not_supported"},
  };
}

// Whom is it for?
std::vector<Shape> hosts() {
  const char* malformed = "400 malformed_request";
  return {
      {"GET /x HTTP/1.1\r\n\r\n", malformed},
      {"GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", malformed},
      {"GET /x HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", malformed},
      {"GET /x HTTP/1.1\r\nHost: a b\r\n\r\n", malformed},
      {"GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n", malformed},
      {line("GET http://b/x HTTP/1.1"), malformed},
      {line("GET http://u@a/x HTTP/1.1"), malformed},
      {line("GET http://a HTTP/1.1"), malformed},
      {line("GET ftp://a/x HTTP/1.1"), malformed},
      {line("GET x HTTP/1.1"), malformed},
      {line("GET * HTTP/1.1"), malformed},
      {line("CONNECT a:443 HTTP/1.1"), malformed},
  };
}

// How much of it is there?
std::vector<Shape> sizes() {
  const char* large = "431 request_header_fields_too_large";
  std::string hundred_and_one = "X: 1";
  for (int i = 0; i < 99; ++i) {
    hundred_and_one += "\r\nX: 1";  // and Host
  }
  std::string long_head = "X: 1";
  for (int i = 0; i < 3; ++i) {
    long_head += "\r\nY: " + std::string(6'000, 'y');
  }
  return {
      {line("GET /" + std::string(8192, 'a') + " HTTP/1.1"), "414 uri_too_long"},
      {line(std::string(33, 'M') + " /x HTTP/1.1"), "501 method_not_implemented"},
      {with("X: " + std::string(8193, 'x')), large},
      {with(std::string(257, 'x') + ": 1"), large},
      {with(hundred_and_one), large},
      {with(long_head), large},
  };
}

// Where does a chunk end?
std::vector<Shape> chunks() {
  const char* malformed = "400 malformed_request";
  return {
      {chunked("x\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("0x5\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("-5\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("+5\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked(" 5\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("5 \r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("00000000000000005\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("5\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("5\r\nhello\n0\r\n\r\n"), malformed},
      {chunked("5\rhello\r\n0\r\n\r\n"), malformed},
      {chunked("4\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("5\r\nhello0\r\n\r\n"), malformed},
      {chunked("5;\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("5;a=\"b\r\n\"\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("5;a=b\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("5;a=" + std::string(4096, 'a') + "\r\nhello\r\n0\r\n\r\n"), malformed},
      {chunked("0\r\n x: folded\r\n\r\n"), malformed},
      {chunked("0\r\nX : y\r\n\r\n"), malformed},
      {chunked("0\r\nX: y\n\r\n"), malformed},
      {chunked("0\r\nno-colon\r\n\r\n"), malformed},
      {chunked("0\r\nX: \0y\r\n\r\n"s), malformed},
      {chunked("0\r\nX: " + std::string(8192, 'y') + "\r\n\r\n"),
       "431 request_header_fields_too_large"},
  };
}

// One answer, the end, and nobody was reached.
void check_refused(RouterRig& rig, const Shape& shape, bool tls, bool byte_by_byte) {
  CAPTURE(shape.bytes.substr(0, 200), tls, byte_by_byte);
  auto client = rig.connect(tls);
  const std::string all = shape.bytes + kSmuggled;
  byte_by_byte ? client.send_byte_by_byte(all) : client.send(all);
  const auto answers = client.answers();
  REQUIRE(answers.size() == 1);
  CHECK(told(answers.front()) == shape.told);
  CHECK(header_of(answers.front(), "Connection") == "close");
  CHECK(header_of(answers.front(), "X-Correlation-Id").size() == 36);
  CHECK(rig.handled().empty());
}

void check_all_refused(const std::vector<Shape>& shapes) {
  RouterRig rig;
  for (const Shape& shape : shapes) {
    for (const bool tls : {false, true}) {
      check_refused(rig, shape, tls, false);
    }
    if (shape.bytes.size() < 1'000) {
      check_refused(rig, shape, false, true);
    }
  }
  CHECK(test_support::wait_until(std::chrono::seconds(10),
                                 [&] { return rig.engine().figures().connections == 0; }));
}

TEST_CASE("a body whose length two parsers could see differently is refused", "[http][smuggling]") {
  check_all_refused(lengths());
}

TEST_CASE("lines that two parsers could cut differently are refused", "[http][smuggling]") {
  check_all_refused(lines());
}

TEST_CASE("a request for nobody or for two is refused", "[http][smuggling]") {
  check_all_refused(hosts());
}

TEST_CASE("a head beyond its bounds is refused by what is too large", "[http][smuggling]") {
  check_all_refused(sizes());
}

TEST_CASE("chunks that two parsers could cut differently are refused", "[http][smuggling]") {
  check_all_refused(chunks());
}

TEST_CASE("a TLS handshake on a plain listener is told so", "[http][smuggling]") {
  RouterRig rig;
  check_refused(rig, {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, "400 malformed_request"},
                false, false);
}

// What is right stands here too, so that the refusals above are none of everything.
TEST_CASE("requests that are right are told apart by their framing alone", "[http][smuggling]") {
  const std::string second = "GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  const std::vector<Shape> all{
      {with("Content-Length: 5", "hello"), "POST /x hello"},
      {with("Content-Length: 005", "hello"), "POST /x hello"},
      {with("content-length:5", "hello"), "POST /x hello"},
      {with("Content-Length: \t5 \t", "hello"), "POST /x hello"},
      {with("Transfer-Encoding: CHUNKED", "5\r\nhello\r\n0\r\n\r\n"), "POST /x hello"},
      {chunked("2\r\nhe\r\n003;a=\"b;\\\"\"\r\nllo\r\n0;z\r\n\r\n"), "POST /x hello"},
      {chunked("5\r\nhello\r\n0\r\nContent-Length: 99\r\nX: y\r\n\r\n"), "POST /x hello"},
      {"\r\n" + line("GET /x HTTP/1.1"), "GET /x"},
      {line("GET http://a/x HTTP/1.1"), "GET /x"},
      {line("GET HTTPS://A/x HTTP/1.1"), "GET /x"},
      {"GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /x"},
      // A whole request inside a body is a body.
      {with("Content-Length: " + std::to_string(kSmuggled.size()), kSmuggled),
       "POST /x GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"},
      {chunked("23\r\n" + kSmuggled + "\r\n0\r\n\r\n"),
       "POST /x GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"},
  };
  RouterRig rig;
  for (const Shape& shape : all) {
    for (const bool tls : {false, true}) {
      CAPTURE(shape.bytes, tls);
      auto client = rig.connect(tls);
      CHECK(client.send(shape.bytes + second));
      const auto answers = client.answers();
      REQUIRE(answers.size() == 2);
      CHECK(answers[0].body == shape.told);
      CHECK(answers[1].body == "GET /second");
      CHECK(rig.handled() == std::vector<std::string>{shape.told, "GET /second"});
    }
  }
}

}  // namespace
}  // namespace plexsphere::host::http
