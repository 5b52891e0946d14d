#include "host/http/pipeline/response_check.hpp"

#include <algorithm>

#include "host/base/wire_text.hpp"

namespace plexsphere::host::http::detail {
namespace {

bool is_token(std::string_view name) {
  return !name.empty() &&
         name.find_first_not_of(
             "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") ==
             std::string_view::npos;
}

bool is_field_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

bool belongs_to_engine(std::string_view name) {
  return equal_ignoring_case(name, "connection") || equal_ignoring_case(name, "content-length") ||
         equal_ignoring_case(name, "date") || equal_ignoring_case(name, "transfer-encoding");
}

bool take_headers(const px_pair* pairs, std::uint64_t count, Headers& out) {
  bool all_good = true;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto name = view(pairs[i].name);
    const auto value = view(pairs[i].value);
    if (!is_token(name) || !is_field_value(value)) {
      all_good = false;
    } else if (!belongs_to_engine(name)) {
      out.emplace_back(name, value);
    }
  }
  return all_good;
}

bool is_code(std::string_view code) {
  return !code.empty() && code.size() <= 64 &&
         code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

Result<Response> from_wire(const px_response& response) {
  Response out;
  out.status = response.status;
  out.content_type = text(response.content_type);
  out.body.assign(reinterpret_cast<const char*>(response.body.ptr), response.body.len);
  if (out.status < 200 || out.status > 599) {
    return Status(Code::kInvalidArgument,
                  "status " + std::to_string(out.status) + " is not between 200 and 599");
  }
  if (!is_field_value(out.content_type) ||
      !take_headers(response.headers, response.header_count, out.headers)) {
    return Status(Code::kInvalidArgument, "a header is badly formed");
  }
  return out;
}

Status check_stream_head(Response& head) {
  if (head.status < 200 || head.status > 299) {
    return {Code::kInvalidArgument, "a stream begins with a status between 200 and 299"};
  }
  for (const auto& [name, value] : head.headers) {
    if (!is_token(name) || !is_field_value(value)) {
      return {Code::kInvalidArgument, "a header is badly formed"};
    }
  }
  if (!is_field_value(head.content_type)) {
    return {Code::kInvalidArgument, "the content type is badly formed"};
  }
  auto& headers = head.headers;
  headers.erase(std::remove_if(headers.begin(), headers.end(),
                               [](const auto& one) { return belongs_to_engine(one.first); }),
                headers.end());
  return {};
}

Problem from_wire(const px_problem& problem) {
  Problem out{problem.status, text(problem.code), text(problem.detail), text(problem.members), {}};
  if (out.status < 400 || out.status > 599 || !is_code(out.code)) {
    out.status = 500;
    out.code = "internal";
    out.detail = "Something went wrong on our side.";
  }
  take_headers(problem.headers, problem.header_count, out.headers);
  return out;
}

}  // namespace plexsphere::host::http::detail
