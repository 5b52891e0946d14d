// HTTP/1.1 as the engine speaks it to clients that are right but unusual: on plain TCP and TLS.
#include <catch2/catch.hpp>

#include "router_rig.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

using namespace std::chrono_literals;  // NOLINT: test

using Seen = std::vector<std::string>;

const std::string kLast = "GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n\r\n" + body;
}

std::string sized(const std::string& body, const std::string& more = "") {
  return post("Content-Length: " + std::to_string(body.size()) + more, body);
}

std::string in_chunks(const std::string& body, std::size_t size) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += size) {
    const auto piece = body.substr(at, size);
    out += kDigits[piece.size() / 16];
    out += kDigits[piece.size() % 16];
    out += "\r\n" + piece + "\r\n";
  }
  return out + "0\r\n\r\n";
}

// What is sent, and the answers that come of it until the connection ends.
struct Exchange {
  std::string sent;
  Seen told;
  Seen handled;
};

void check(RouterRig& rig, const Exchange& exchange, bool tls, bool byte_by_byte = false) {
  CAPTURE(exchange.sent.substr(0, 300), tls, byte_by_byte);
  auto client = rig.connect(tls);
  byte_by_byte ? client.send_byte_by_byte(exchange.sent) : client.send(exchange.sent);
  Seen got;
  for (const auto& answer : client.answers()) {
    // Between two bytes the server may find that a body is awaited.
    if (!byte_by_byte || answer.status != 100) {
      got.push_back(told(answer));
    }
  }
  CHECK(got == exchange.told);
  CHECK(rig.handled() == exchange.handled);
}

void check_all(const std::vector<Exchange>& all) {
  RouterRig rig;
  for (const Exchange& exchange : all) {
    for (const bool tls : {false, true}) {
      check(rig, exchange, tls);
    }
    check(rig, exchange, false, true);
  }
}

TEST_CASE("bodies by length, by chunk and gzipped reach the handler as they were meant",
          "[http][conformance]") {
  const std::string packed = gzip("packed");
  const std::string zip = "\r\nContent-Encoding: gzip";
  const std::string chunks = "Transfer-Encoding: chunked";
  check_all({
      {sized("plain") + kLast, {"200", "200"}, {"POST /x plain", "GET /second"}},
      {sized("") + kLast, {"200", "200"}, {"POST /x", "GET /second"}},
      {post(chunks, "0\r\n\r\n") + kLast, {"200", "200"}, {"POST /x", "GET /second"}},
      {post(chunks, in_chunks("in chunks", 2)) + kLast,
       {"200", "200"},
       {"POST /x in chunks", "GET /second"}},
      {sized(packed, zip) + kLast, {"200", "200"}, {"POST /x packed", "GET /second"}},
      {post(chunks + zip, in_chunks(packed, 1)) + kLast,
       {"200", "200"},
       {"POST /x packed", "GET /second"}},
  });
}

TEST_CASE("a body beyond its route's bounds is refused and the next request is served",
          "[http][conformance]") {
  const std::string zip = "\r\nContent-Encoding: gzip";
  const std::string bomb = gzip(std::string(16 * 1024, 'x'));
  REQUIRE(bomb.size() < kBodyLimit);
  check_all({
      {sized(std::string(kBodyLimit, 'x')) + kLast,
       {"200", "200"},
       {"POST /x " + std::string(kBodyLimit, 'x'), "GET /second"}},
      {sized(std::string(kBodyLimit + 1, 'x')) + kLast,
       {"413 request_body_too_large", "200"},
       {"GET /second"}},
      {post("Transfer-Encoding: chunked", in_chunks(std::string(kBodyLimit + 1, 'x'), 50)) + kLast,
       {"413 request_body_too_large", "200"},
       {"GET /second"}},
      {sized(gzip(std::string(kDecodedLimit, 'x')), zip) + kLast,
       {"200", "200"},
       {"POST /x " + std::string(kDecodedLimit, 'x'), "GET /second"}},
      {sized(gzip(std::string(kDecodedLimit + 1, 'x')), zip) + kLast,
       {"413 request_body_too_large", "200"},
       {"GET /second"}},
      {sized(bomb, zip) + kLast, {"413 request_body_too_large", "200"}, {"GET /second"}},
      {sized("no gzip", zip) + kLast, {"400 invalid_content_encoding", "200"}, {"GET /second"}},
      {sized("x", "\r\nContent-Encoding: br") + kLast,
       {"415 unsupported_content_encoding", "200"},
       {"GET /second"}},
      {"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + kLast,
       {"404 not_found", "200"},
       {"GET /second"}},
  });
}

TEST_CASE("a body that is not read to its end closes the connection behind the answer",
          "[http][conformance]") {
  const std::string much(400 * 1024, 'x');
  RouterRig rig;
  for (const bool tls : {false, true}) {
    check(rig, {sized(much) + kLast, {"413 request_body_too_large"}, {}}, tls);
    const std::string one = "64000\r\n" + much + "\r\n0\r\n\r\n";
    check(rig,
          {post("Transfer-Encoding: chunked", one) + kLast, {"413 request_body_too_large"}, {}},
          tls);
  }
}

TEST_CASE("100 Continue is said when a body is awaited, and only then", "[http][conformance]") {
  const std::string expect = "\r\nExpect: 100-continue";
  RouterRig rig;
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    auto client = rig.connect(tls);
    for (const char* framing : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
      CHECK(client.send(post(framing + expect)));
      CHECK(client.answer().value().status == 100);
      CHECK(client.send(framing[0] == 'C' ? "hello" : "5\r\nhello\r\n0\r\n\r\n"));
      CHECK(client.answer().value().body == "POST /x hello");
    }
    CHECK(rig.handled() == Seen{"POST /x hello", "POST /x hello"});
  }
  check_all({
      // The body came with the head, or there is none, or the client knows no 100.
      {sized("hello", expect) + kLast, {"200", "200"}, {"POST /x hello", "GET /second"}},
      {"GET /x HTTP/1.1\r\nHost: a" + expect + "\r\n\r\n" + kLast,
       {"200", "200"},
       {"GET /x", "GET /second"}},
  });
  check(rig,
        {"POST /x HTTP/1.0\r\nContent-Length: 5" + expect + "\r\n\r\nhello",
         {"200"},
         {"POST /x hello"}},
        false, true);
}

TEST_CASE("who waits for a 100 is refused before sending, and what is sent anyway is no request",
          "[http][conformance]") {
  const std::string expect = "\r\nExpect: 100-continue\r\nContent-Length: ";
  struct Refused {
    std::string head;
    const char* told;
  };
  RouterRig rig;
  for (const auto& [head, expected] : std::vector<Refused>{
           {"POST /nowhere HTTP/1.1\r\nHost: a" + expect + "36", "404 not_found"},
           {"DELETE /x HTTP/1.1\r\nHost: a" + expect + "36", "405 method_not_allowed"},
           {"POST /x HTTP/1.1\r\nHost: a" + expect + "999999", "413 request_body_too_large"},
       }) {
    for (const bool tls : {false, true}) {
      CAPTURE(head, tls);
      auto client = rig.connect(tls);
      CHECK(client.send(head + "\r\n\r\n"));
      const auto answer = client.answer().value();
      CHECK(told(answer) == expected);
      CHECK(header_of(answer, "Connection") == "close");
      client.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n ");
      CHECK(client.answers().empty());
      CHECK(rig.handled().empty());
    }
  }
}

TEST_CASE("an expectation that is not met is 417", "[http][conformance]") {
  check_all({
      {sized("hello", "\r\nExpect: 200-ok") + kLast, {"417 expectation_failed"}, {}},
      {sized("hello", "\r\nExpect: 100-continue\r\nExpect: more") + kLast,
       {"417 expectation_failed"},
       {}},
  });
}

TEST_CASE("status lines carry their registered phrase", "[http][conformance]") {
  RouterRig rig;
  const auto status_line = [&rig](const std::string& sent) {
    auto client = rig.connect(false);
    client.send(sent);
    const auto all = client.rest();
    return all.substr(0, all.find("\r\n"));
  };
  CHECK(status_line(sized("", "\r\nExpect: x")) == "HTTP/1.1 417 Expectation Failed");
  CHECK(status_line("GET / HTTP/2.0\r\n\r\n") == "HTTP/1.1 505 HTTP Version Not Supported");
  CHECK(status_line("GET /" + std::string(9'000, 'a')) == "HTTP/1.1 414 URI Too Long");
}

TEST_CASE("HEAD is answered like GET without its body, wherever it stands", "[http][conformance]") {
  RouterRig rig;
  for (const bool tls : {false, true}) {
    CAPTURE(tls);
    auto client = rig.connect(tls);
    CHECK(client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nHEAD /no HTTP/1.1\r\nHost: a\r\n\r\n" +
                      kLast));
    const auto found = client.answer(true).value();
    CHECK(found.status == 200);
    CHECK(header_of(found, "Content-Length") == "7");  // "HEAD /x"
    CHECK(client.answer(true).value().status == 404);
    CHECK(client.answer().value().body == "GET /second");
    CHECK(rig.handled() == Seen{"HEAD /x", "GET /second"});
  }
}

TEST_CASE("pipelined requests are answered in their order, each before the next begins",
          "[http][conformance]") {
  std::string sent;
  Seen handled;
  for (int i = 0; i < 40; ++i) {
    sent += get("/x") + sized("n" + std::to_string(i));
    handled.insert(handled.end(), {"GET /x", "POST /x n" + std::to_string(i)});
  }
  handled.emplace_back("GET /second");
  check_all({{sent + kLast, Seen(81, "200"), handled}});
}

// The kernel tells of a record once; what else was in it waits inside the TLS layer.
TEST_CASE("requests that share a TLS record, or lie across two, are all answered",
          "[http][conformance]") {
  RouterRig rig;
  auto client = rig.connect(true);
  CHECK(client.send(get("/x") + get("/second") + sized("third")));
  for (const char* body : {"GET /x", "GET /second", "POST /x third"}) {
    CHECK(client.answer().value().body == body);
  }
  const std::string two = sized("first") + sized("other");
  for (std::size_t cut = 1; cut < two.size(); cut += 7) {
    CHECK(client.send(two.substr(0, cut)));
    CHECK(client.send(two.substr(cut)));
    CHECK(client.answer().value().body == "POST /x first");
    CHECK(client.answer().value().body == "POST /x other");
  }
  // More than the engine reads at once, in records of the largest size.
  const std::string many = get("/x?" + std::string(4'000, 'a'));
  std::string all;
  for (int i = 0; i < 100; ++i) {
    all += many;
  }
  CHECK(client.send(all + kLast));
  CHECK(client.answers().size() == 101);
}

// The end of the connection may be seen before the second request is looked at.
TEST_CASE("a client that has said all it wants to say still gets its answers",
          "[http][conformance]") {
  RouterRig rig;
  for (int i = 0; i < 100; ++i) {
    const bool tls = i % 4 == 0;
    CAPTURE(i, tls);
    auto client = rig.connect(tls);
    CHECK(client.send(get("/x") + sized("last")));
    client.finish();
    CHECK(client.answers().size() == 2);
    CHECK(rig.handled() == Seen{"GET /x", "POST /x last"});
  }
}

TEST_CASE("a request that breaks off is none", "[http][conformance]") {
  RouterRig rig;
  const std::string chunked = post("Transfer-Encoding: chunked");
  for (const auto& part : {get("/x").substr(0, 20), sized("hello").substr(0, 50),
                           chunked + "5\r\nhel", chunked + "5\r\nhello\r\n0\r\n"}) {
    for (const bool tls : {false, true}) {
      CAPTURE(part, tls);
      auto client = rig.connect(tls);
      CHECK(client.send(part));
      client.finish();
      CHECK(client.rest().empty());
    }
  }
  CHECK(rig.handled().empty());
}

TEST_CASE("HTTP/1.0 clients are answered once, unless they ask to stay", "[http][conformance]") {
  RouterRig rig;
  for (const bool tls : {false, true}) {
    auto client = rig.connect(tls);
    CHECK(client.send("GET /x HTTP/1.0\r\n\r\nGET /smuggled HTTP/1.0\r\n\r\n"));
    const auto answers = client.answers();
    REQUIRE(answers.size() == 1);
    CHECK(header_of(answers[0], "Connection") == "close");
    auto staying = rig.connect(tls);
    CHECK(staying.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    CHECK(header_of(staying.answer().value(), "Connection") == "keep-alive");
    CHECK(staying.send("GET /second HTTP/1.0\r\n\r\n"));
    CHECK(staying.answers().size() == 1);
    CHECK(rig.handled() == Seen{"GET /x", "GET /x", "GET /second"});
  }
}

TEST_CASE("a connection lives as long as both sides keep it", "[http][conformance]") {
  RouterRig rig;
  for (const bool tls : {false, true}) {
    auto client = rig.connect(tls);
    for (int i = 0; i < 50; ++i) {
      CHECK(client.send(get("/x")));
      const auto answer = client.answer().value();
      CHECK(answer.status == 200);
      CHECK(header_of(answer, "Connection") == "(absent)");
    }
    CHECK(client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n" + kLast));
    CHECK(client.answers().size() == 1);
  }
}

}  // namespace
}  // namespace plexsphere::host::http
