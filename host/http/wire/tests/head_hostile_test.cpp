#include "host/http/wire/head.hpp"
#include "host/http/wire/tests/head_support.hpp"

namespace plexsphere::host::http::wire {
namespace {

struct Refused {
  std::string bytes;
  const char* told;
};

std::string line(const std::string& request_line) {
  return request_line + "\r\nHost: a\r\n\r\n";
}

std::string fields(const std::string& lines) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n";
}

std::string host(const std::string& value) {
  return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n";
}

// Request smuggling: bytes whose extent or meaning two parsers could see differently.
std::vector<Refused> smuggling() {
  return {
      {fields("Content-Length: 5\r\nTransfer-Encoding: chunked"),
       "400 malformed_request length_and_chunked"},
      {fields("Transfer-Encoding: chunked\r\nContent-Length: 5"),
       "400 malformed_request length_and_chunked"},
      {fields("Transfer-Encoding: gzip\r\nContent-Length: 5"),
       "400 malformed_request length_and_chunked"},
      {fields("Content-Length: 5\r\nContent-Length: 6"), "400 malformed_request two_lengths"},
      {fields("Content-Length: 5\r\nContent-Length: 5"), "400 malformed_request two_lengths"},
      {fields("Content-Length: 5\r\nX: y\r\ncontent-length: 5"),
       "400 malformed_request two_lengths"},
      {fields("Content-Length: 5, 5"), "400 malformed_request bad_length"},
      {fields("Content-Length: 5,6"), "400 malformed_request bad_length"},
      {fields("Content-Length: +5"), "400 malformed_request bad_length"},
      {fields("Content-Length: -5"), "400 malformed_request bad_length"},
      {fields("Content-Length: 0x5"), "400 malformed_request bad_length"},
      {fields("Content-Length: 5 5"), "400 malformed_request bad_length"},
      {fields("Content-Length: 5.0"), "400 malformed_request bad_length"},
      {fields("Content-Length: \"5\""), "400 malformed_request bad_length"},
      {fields("Content-Length: 5;"), "400 malformed_request bad_length"},
      {fields("Content-Length: \xb2"), "400 malformed_request bad_length"},
      {fields("Content-Length:"), "400 malformed_request bad_length"},
      {fields("Content-Length: five"), "400 malformed_request bad_length"},
      {fields("Content-Length: 9223372036854775808"), "400 malformed_request length_overflow"},
      {fields("Content-Length: 18446744073709551621"), "400 malformed_request length_overflow"},
      {fields("Content-Length: " + std::string(400, '9')), "400 malformed_request length_overflow"},
      {fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
       "400 malformed_request two_transfer_encodings"},
      {fields("Transfer-Encoding: chunked\r\ntransfer-encoding: identity"),
       "400 malformed_request two_transfer_encodings"},
      {fields("Transfer-Encoding: gzip, chunked"),
       "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding: chunked, identity"),
       "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding: chunked, chunked"),
       "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding: identity"),
       "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding: xchunked"),
       "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding: chunked;q=1"),
       "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding: \"chunked\""),
       "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding:"), "501 transfer_encoding_not_supported transfer_encoding"},
      {fields("Transfer-Encoding: \x0b"
              "chunked"),
       "400 malformed_request control_character"},
      {fields("Transfer-Encoding : chunked"), "400 malformed_request space_before_colon"},
      {fields("Content-Length\t: 5"), "400 malformed_request space_before_colon"},
      {fields("X: y\r\n Content-Length: 5"), "400 malformed_request obs_fold"},
      {fields("X: y\r\n\tz"), "400 malformed_request obs_fold"},
      {"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 malformed_request obs_fold"},
      {fields("Content-Length: 5\r\n "), "400 malformed_request obs_fold"},
      {fields("X: y\nContent-Length: 5"), "400 malformed_request bare_lf"},
      {fields("X: y\rContent-Length: 5"), "400 malformed_request bare_cr"},
      {fields("X: y\r\r"), "400 malformed_request bare_cr"},
      {fields("\rX: y"), "400 malformed_request bare_cr"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\n", "400 malformed_request bare_lf"},
      {"GET / HTTP/1.1\r\nHost: a\n\r\n", "400 malformed_request bare_lf"},
      {"GET / HTTP/1.1\nHost: a\n\n", "400 malformed_request bare_lf"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\rX: y", "400 malformed_request bare_cr"},
      {fields("X: a\0b"s), "400 malformed_request nul"},
      {fields("X\0: b"s), "400 malformed_request nul"},
      {fields("Content-Length\0: 5"s), "400 malformed_request nul"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400 malformed_request chunked_in_http10"},
  };
}

std::vector<Refused> malformed_lines() {
  return {
      {line("GET / HTTP/2.0"), "505 http_version_not_supported http_version"},
      {line("GET / HTTP/1.2"), "505 http_version_not_supported http_version"},
      {line("GET / HTTP/1.9"), "505 http_version_not_supported http_version"},
      {line("GET / HTTP/0.9"), "505 http_version_not_supported http_version"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 http_version_not_supported http_version"},
      {line("GET / http/1.1"), "400 malformed_request bad_version"},
      {line("GET / HTTP/1."), "400 malformed_request bad_version"},
      {line("GET / HTTP/11"), "400 malformed_request bad_version"},
      {line("GET / HTTP/1.10"), "400 malformed_request bad_version"},
      {line("GET / HTTP/+1.1"), "400 malformed_request bad_version"},
      {line("GET / HTTP/1.1 "), "400 malformed_request bad_version"},
      {line("GET / HTTP/1.1 x"), "400 malformed_request bad_version"},
      {line("GET / x HTTP/1.1"), "400 malformed_request bad_version"},
      {line("GET / "), "400 malformed_request bad_version"},
      {line("GET /"), "400 malformed_request bad_request_line"},
      {line("GET"), "400 malformed_request bad_request_line"},
      {line("GET "), "400 malformed_request bad_request_line"},
      {line("GET  / HTTP/1.1"), "400 malformed_request bad_request_line"},
      {line(" GET / HTTP/1.1"), "400 malformed_request bad_method"},
      {line("GE(T / HTTP/1.1"), "400 malformed_request bad_method"},
      {line("GET\t/ HTTP/1.1"), "400 malformed_request control_character"},
      {line("GET /\tHTTP/1.1"), "400 malformed_request control_character"},
      {line("GET /\x7f HTTP/1.1"), "400 malformed_request control_character"},
      {line("GET /\xc3\xa4 HTTP/1.1"), "400 malformed_request non_ascii"},
      {line("G\xc3\xa4T / HTTP/1.1"), "400 malformed_request non_ascii"},
      {line("GET / HTTP/1.\xb9"), "400 malformed_request non_ascii"},
      {line("GET /\0 HTTP/1.1"s), "400 malformed_request nul"},
      {line("GET /\r HTTP/1.1"), "400 malformed_request bare_cr"},
      {line("GET /#x HTTP/1.1"), "400 malformed_request bad_target_character"},
      {line("GET /\\x HTTP/1.1"), "400 malformed_request bad_target_character"},
      {line("GET /<x> HTTP/1.1"), "400 malformed_request bad_target_character"},
      {line("GET * HTTP/1.1"), "400 malformed_request bad_target"},
      {line("OPTIONS ** HTTP/1.1"), "400 malformed_request bad_target"},
      {line("GET x HTTP/1.1"), "400 malformed_request bad_target"},
      {line("GET ?x HTTP/1.1"), "400 malformed_request bad_target"},
      {line("CONNECT a:443 HTTP/1.1"), "400 malformed_request bad_target"},
      {line("GET http://a HTTP/1.1"), "400 malformed_request bad_target"},
      {line("GET http:///x HTTP/1.1"), "400 malformed_request bad_target"},
      {line("GET http://u@a/x HTTP/1.1"), "400 malformed_request bad_target"},
      {line("GET ftp://a/x HTTP/1.1"), "400 malformed_request bad_target"},
      {line("GET http://b/x HTTP/1.1"), "400 malformed_request host_mismatch"},
      {line(std::string(33, 'M') + " / HTTP/1.1"), "501 method_not_implemented long_method"},
      {line("GET /" + std::string(8192, 'a') + " HTTP/1.1"), "414 uri_too_long long_target"},
      {line("\r\n\r\nGET / HTTP/1.1"), "400 malformed_request empty_lines"},
      {"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 malformed_request bare_lf"},
      {"GET / HTTP/1.1\r\n\r\n", "400 malformed_request no_host"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400 malformed_request two_hosts"},
      {"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "400 malformed_request two_hosts"},
      {fields("no colon"), "400 malformed_request space_before_colon"},
      {fields("nocolon"), "400 malformed_request no_colon"},
      {fields(": x"), "400 malformed_request bad_header_name"},
      {fields("a(b: x"), "400 malformed_request bad_header_name"},
      {fields("\xc3\xa4: x"), "400 malformed_request bad_header_name"},
      {fields("X: \x1b[31m"), "400 malformed_request control_character"},
      {fields("X: \x7f"), "400 malformed_request control_character"},
      {fields("X: 0123456789abcde\x01"), "400 malformed_request control_character"},
      {fields("Expect: 200-ok"), "417 expectation_failed expectation"},
      {fields("Expect:"), "417 expectation_failed expectation"},
      {fields("Expect: 100-continue\r\nExpect: more"), "417 expectation_failed expectation"},
  };
}

std::vector<Refused> bad_hosts() {
  std::vector<Refused> out;
  for (const char* value :
       {"a b",    "a,b",     "a/b",  "u@a",      "a:b",  "a:-1", "a:123456", "a:1:2",
        ":80",    "a?b",     "a#b",  "a\\b",     "[::1", "::1]", "[]",       "[g::1]",
        "[::1]x", "[::1]:x", "a%00", "\xc3\xa4", "<a>",  "a;b"}) {
    out.push_back({host(value), "400 malformed_request bad_host"});
  }
  return out;
}

std::vector<Refused> all_refused() {
  auto out = smuggling();
  for (const auto& more : {malformed_lines(), bad_hosts()}) {
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

TEST_CASE("what two parsers could read differently is refused", "[http][wire]") {
  for (const auto& item : smuggling()) {
    CAPTURE(item.bytes);
    CHECK(told(check(item.bytes)) == item.told);
  }
}

TEST_CASE("what is no request is refused by its first fault", "[http][wire]") {
  for (const auto& item : malformed_lines()) {
    CAPTURE(item.bytes);
    CHECK(told(check(item.bytes)) == item.told);
  }
  for (const auto& item : bad_hosts()) {
    CAPTURE(item.bytes);
    CHECK(told(check(item.bytes)) == item.told);
  }
}

TEST_CASE("however hostile bytes are cut into pieces, the fault is the same", "[http][wire]") {
  for (const auto& item : all_refused()) {
    CAPTURE(item.bytes);
    for (std::size_t step = 1; step < item.bytes.size(); step += 1 + step / 16) {
      CHECK(fed_by(step, item.bytes) == item.told);
    }
    // Two pieces, cut anywhere.
    for (std::size_t cut = 1; cut < std::min<std::size_t>(item.bytes.size(), 400); ++cut) {
      std::size_t scanned = 0;
      auto result = check_head(item.bytes.substr(0, cut), scanned, {});
      if (std::holds_alternative<NeedMore>(result)) {
        result = check_head(item.bytes, scanned, {});
      }
      CHECK(told(result) == item.told);
    }
  }
}

TEST_CASE("every fault says something a person can act on", "[http][wire]") {
  for (const auto& item : all_refused()) {
    const auto result = check(item.bytes);
    const auto& fault = std::get<Fault>(result);
    CAPTURE(fault.reason);
    CHECK(fault.detail.size() > 20);
    CHECK(fault.detail.back() == '.');
  }
}

TEST_CASE("a fault in the first line does not wait for the rest", "[http][wire]") {
  struct Early {
    std::string bytes;
    const char* told;
  };
  const std::vector<Early> all{
      {"\x16\x03\x01\x02\x00\x01"s, "400 malformed_request tls_on_plain_listener"},
      {"\x16", "400 malformed_request tls_on_plain_listener"},
      {"\x80\x2e\x01", "400 malformed_request non_ascii"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "400 malformed_request bad_request_line"},
      {"{\"json\"", "400 malformed_request bad_method"},
      {"\0"s, "400 malformed_request nul"},
      {std::string(33, 'a'), "501 method_not_implemented long_method"},
      {"GET\n", "400 malformed_request bare_lf"},
      {"GET /\x01", "400 malformed_request control_character"},
      {"GET / HTTP/1.1xx", "400 malformed_request bad_version"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: \x02", "400 malformed_request control_character"},
      {"GET / HTTP/1.1\r\nHost: a\n", "400 malformed_request bare_lf"},
      {"GET / HTTP/3.0\r\n", "505 http_version_not_supported http_version"},
  };
  for (const auto& item : all) {
    CAPTURE(item.bytes);
    CHECK(told(check(item.bytes)) == item.told);
    CHECK(fed_by(1, item.bytes) == item.told);
  }
}

TEST_CASE("every byte value in every place is taken as the grammar has it, whole or in pieces",
          "[http][wire]") {
  const auto head = "GET /a HTTP/1.1\r\nHost: a\r\nX-Y: 01234567 z\r\n\r\n"s;
  std::size_t taken = 0;
  for (std::size_t place = 0; place < head.size(); ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      auto bytes = head;
      bytes[place] = static_cast<char>(byte);
      const auto result = check(bytes);
      const auto whole = all_of(result, bytes);
      if (fed_by(1, bytes) != whole) {
        CAPTURE(place, byte);
        CHECK(fed_by(1, bytes) == whole);
      }
      if (const auto* accepted = std::get_if<Head>(&result)) {
        ++taken;
        const auto poco = read_with_poco(bytes, *accepted);
        CAPTURE(place, byte);
        CHECK((poco.method == accepted->method && poco.target == accepted->target &&
               poco.fields == fields_of(*accepted)));
      }
    }
  }
  CHECK(taken > 1000);  // most places of most lines take most of ASCII
}

}  // namespace
}  // namespace plexsphere::host::http::wire
