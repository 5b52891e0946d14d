// Shared by the tests of the head: how a result reads, and what Poco makes of the same bytes.
#pragma once

#include <Poco/Net/HTTPRequest.h>

#include <catch2/catch.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/http/wire/head.hpp"

namespace plexsphere::host::http::wire {

using namespace std::string_view_literals;
using namespace std::string_literals;

inline HeadResult check(std::string_view bytes, const HeadLimits& limits = {}) {
  std::size_t scanned = 0;
  return check_head(bytes, scanned, limits);
}

// "more", "400 malformed_request nul", or "GET /x 1.1 keep length 5".
inline std::string told(const HeadResult& result) {
  if (const auto* fault = std::get_if<Fault>(&result)) {
    return std::to_string(fault->status) + " " + std::string(fault->code) + " " +
           std::string(fault->reason);
  }
  const auto* head = std::get_if<Head>(&result);
  if (head == nullptr) {
    return "more";
  }
  std::string out(head->method);
  out += " " + std::string(head->target) + (head->http11 ? " 1.1" : " 1.0");
  out += head->keep_alive ? " keep" : " close";
  if (head->framing != Framing::kNone) {
    out += head->framing == Framing::kChunked ? " chunked"
                                              : " length " + std::to_string(head->content_length);
  }
  return out + (head->expect_continue ? " expect" : "");
}

// Everything of a result that the caller can see, views as offsets.
inline std::string all_of(const HeadResult& result, std::string_view bytes) {
  std::string out = told(result);
  if (const auto* head = std::get_if<Head>(&result)) {
    const auto offset = [bytes](std::string_view view) {
      REQUIRE(view.data() >= bytes.data());
      REQUIRE(view.data() + view.size() <= bytes.data() + bytes.size());
      return " " + std::to_string(view.data() - bytes.data()) + "+" + std::to_string(view.size());
    };
    out += offset(head->method) + offset(head->target) + offset(head->fields);
    out += " " + std::to_string(head->begin) + "-" + std::to_string(head->size) + " " +
           std::to_string(head->field_count);
  }
  return out;
}

// The first answer other than "more" when the bytes come `step` at a time; "more" if there is none.
inline std::string fed_by(std::size_t step, std::string_view bytes, const HeadLimits& limits = {}) {
  std::size_t scanned = 0;
  for (std::size_t size = std::min(step, bytes.size());;
       size = std::min(size + step, bytes.size())) {
    const auto result = check_head(bytes.substr(0, size), scanned, limits);
    if (size == bytes.size() || !std::holds_alternative<NeedMore>(result)) {
      return all_of(result, bytes);
    }
  }
}

inline std::vector<std::pair<std::string, std::string>> fields_of(const Head& head) {
  std::vector<std::pair<std::string, std::string>> out;
  auto rest = head.fields;
  while (const auto field = next_field(rest)) {
    out.emplace_back(field->name, field->value);
  }
  return out;
}

// What an unrelated parser reads in an accepted head. False when it refuses it.
struct PocoView {
  std::string method, target, version;
  std::vector<std::pair<std::string, std::string>> fields;
  bool keep_alive = false;
};

inline PocoView read_with_poco(std::string_view bytes, const Head& head) {
  std::istringstream in(std::string(bytes.substr(head.begin, head.size - head.begin)));
  Poco::Net::HTTPRequest request;
  request.read(in);
  PocoView out{request.getMethod(), request.getURI(), request.getVersion(), {}, false};
  out.fields.assign(request.begin(), request.end());
  out.keep_alive = request.getKeepAlive();
  return out;
}

}  // namespace plexsphere::host::http::wire
