#include "host/apps/plexctl/failure.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::plexctl {
namespace {

std::string member(const nlohmann::json& problem, const char* name) {
  const auto at = problem.is_object() ? problem.find(name) : problem.end();
  return at != problem.end() && at->is_string() ? at->get<std::string>() : std::string();
}

}  // namespace

ExitCode exit_code_of(int http_status) noexcept {
  switch (http_status) {
    case 401:
      return ExitCode::unauthenticated;
    case 403:
      return ExitCode::denied;
    case 404:
      return ExitCode::not_found;
    case 409:
      return ExitCode::conflict;
    case 501:
    case 502:  // what a proxy in front says while there is no core behind it
    case 503:
    case 504:
      return ExitCode::unavailable;
    default:
      return ExitCode::failed;
  }
}

Failure failure_of(const std::string& request, int status, const std::string& body,
                   const std::string& correlation_id) {
  const auto problem = nlohmann::json::parse(body, nullptr, false);
  std::string text = request + " answered " + std::to_string(status);
  if (const auto code = member(problem, "code"); !code.empty()) {
    text += " " + code;
  }
  if (const auto detail = member(problem, "detail"); !detail.empty()) {
    text += ": " + detail;
  }
  const auto named = member(problem, "correlation_id");
  if (const auto& id = named.empty() ? correlation_id : named; !id.empty()) {
    text += " (correlation id " + id + ")";
  }
  return {exit_code_of(status), text};
}

}  // namespace plexsphere::plexctl
