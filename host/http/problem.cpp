#include "host/http/problem.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "host/base/json_text.hpp"

namespace plexsphere::host::http {
namespace {

constexpr const char* kMediaType = "application/problem+json";

constexpr std::array<std::string_view, 7> kOwnMembers{
    "type", "title", "status", "detail", "instance", "code", "correlation_id"};

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.push_back(',');
  append_json_string(out, name);
  out.push_back(':');
  append_json_string(out, value);
}

// Up to and including the code, still open.
std::string head(int status, std::string_view code, std::string_view detail,
                 std::string_view instance) {
  std::string out;
  out.reserve(384);
  out.append(R"({"type":)");
  append_json_string(out, problem_type(code));
  append_member(out, "title", reason_phrase(status));
  out.append(R"(,"status":)");
  append_json_number(out, std::int64_t{status});
  append_member(out, "detail", detail);
  append_member(out, "instance", instance);
  append_member(out, "code", code);
  return out;
}

// False when `members` is no JSON object.
bool append_members(std::string& out, const std::string& members) {
  const auto parsed = nlohmann::ordered_json::parse(members, nullptr, false);
  if (!parsed.is_object()) {
    return false;
  }
  for (const auto& [name, value] : parsed.items()) {
    if (std::find(kOwnMembers.begin(), kOwnMembers.end(), name) != kOwnMembers.end()) {
      continue;
    }
    out.push_back(',');
    append_json_string(out, name);
    out.push_back(':');
    out.append(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  return true;
}

}  // namespace

std::string problem_type(std::string_view code) {
  std::string type = "https://plexsphere.com/errors/";
  std::replace_copy(code.begin(), code.end(), std::back_inserter(type), '_', '-');
  return type;
}

Response render(const Problem& problem, std::string_view instance, std::string_view correlation_id,
                bool* members_dropped) {
  std::string body = head(problem.status, problem.code, problem.detail, instance);
  append_member(body, "correlation_id", correlation_id);
  if (!problem.members.empty() && !append_members(body, problem.members) &&
      members_dropped != nullptr) {
    *members_dropped = true;
  }
  body.push_back('}');
  return {problem.status, kMediaType, std::move(body), problem.headers};
}

Response render(const Denial& denial, std::string_view instance, std::string_view correlation_id) {
  std::string body = head(403, denial.code, denial.detail, instance);
  append_member(body, "reason", denial.reason);
  body.append(R"(,"relation_path":[)");
  for (std::size_t i = 0; i < denial.relation_path.size(); ++i) {
    body.append(i == 0 ? "" : ",");
    append_json_string(body, denial.relation_path[i]);
  }
  body.push_back(']');
  append_member(body, "correlation_id", correlation_id);
  body.push_back('}');
  return {403, kMediaType, std::move(body), {}};
}

}  // namespace plexsphere::host::http
