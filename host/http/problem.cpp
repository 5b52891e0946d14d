#include "host/http/problem.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace plexsphere::host::http {
namespace {

constexpr const char* kMediaType = "application/problem+json";

std::string dumped(const nlohmann::ordered_json& body) {
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

nlohmann::ordered_json head(int status, std::string_view code, std::string_view detail,
                            std::string_view instance) {
  return {{"type", problem_type(code)}, {"title", reason_phrase(status)}, {"status", status},
          {"detail", detail},           {"instance", instance},           {"code", code}};
}

}  // namespace

std::string problem_type(std::string_view code) {
  std::string type = "https://plexsphere.com/errors/";
  std::replace_copy(code.begin(), code.end(), std::back_inserter(type), '_', '-');
  return type;
}

Response render(const Problem& problem, std::string_view instance, std::string_view correlation_id,
                bool* members_dropped) {
  auto body = head(problem.status, problem.code, problem.detail, instance);
  body["correlation_id"] = correlation_id;
  if (!problem.members.empty()) {
    const auto members = nlohmann::ordered_json::parse(problem.members, nullptr, false);
    if (members.is_object()) {
      for (const auto& [name, value] : members.items()) {
        if (!body.contains(name)) {
          body[name] = value;
        }
      }
    } else if (members_dropped != nullptr) {
      *members_dropped = true;
    }
  }
  return {problem.status, kMediaType, dumped(body), problem.headers};
}

Response render(const Denial& denial, std::string_view instance, std::string_view correlation_id) {
  auto body = head(403, "permission_denied", "You are not permitted to do this.", instance);
  body["reason"] = denial.reason;
  body["relation_path"] = denial.relation_path;
  body["correlation_id"] = correlation_id;
  return {403, kMediaType, dumped(body), {}};
}

}  // namespace plexsphere::host::http
