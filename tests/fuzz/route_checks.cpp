#include "fuzz/route_checks.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/require.hpp"
#include "host/base/wire_text.hpp"
#include "host/http/pipeline/route_table.hpp"

namespace plexsphere::fuzz {
namespace {

namespace http = host::http;

// Literals beside parameters at every depth, so that a path may lead into either.
std::unique_ptr<http::RouteTable> make_table() {
  auto out = std::make_unique<http::RouteTable>();
  for (const auto& [method, path] : std::vector<std::pair<const char*, const char*>>{
           {"GET", "/"},
           {"GET", "/readyz"},
           {"GET", "/v1/domains"},
           {"POST", "/v1/domains"},
           {"GET", "/v1/domains/lookup"},
           {"GET", "/v1/domains/{id}"},
           {"DELETE", "/v1/domains/{id}"},
           {"GET", "/v1/domains/{id}/nodes"},
           {"PATCH", "/v1/domains/{domain_id}/nodes/{node_id}"},
           {"POST", "/v1/nodes/register"},
           {"POST", "/v1/nodes/{id}/heartbeat"},
           {"GET", "/v1/nodes/{id}/events"}}) {
    http::Route route;
    route.owner = "fuzz";
    route.method = method;
    route.path = path;
    FUZZ_REQUIRE(out->add(std::move(route)).ok());
  }
  return out;
}

const http::RouteTable& table() {
  static const auto made = make_table();
  return *made;
}

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto slash = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
  return out;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{');
}

bool fits(std::string_view pattern, std::string_view path) {
  const auto wanted = segments_of(pattern);
  const auto given = segments_of(path);
  return std::equal(
      wanted.begin(), wanted.end(), given.begin(), given.end(),
      [](std::string_view a, std::string_view b) { return is_parameter(a) ? !b.empty() : a == b; });
}

void check_parameters(const http::Match& match, std::string_view path) {
  const auto pattern = segments_of(match.route->path);
  const auto given = segments_of(path);
  const auto parameters = match.parameters();
  std::size_t next = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!is_parameter(pattern[i])) {
      continue;
    }
    FUZZ_REQUIRE(next < parameters.size());
    const auto& [name, value] = parameters[next++];
    FUZZ_REQUIRE(host::view(name) == pattern[i].substr(1, pattern[i].size() - 2));
    std::string decoded;
    FUZZ_REQUIRE(http::percent_decode(given[i], false, decoded));
    FUZZ_REQUIRE(host::view(value) == decoded);
    FUZZ_REQUIRE(decoded.find('\0') == std::string::npos);
  }
  FUZZ_REQUIRE(next == parameters.size());
}

}  // namespace

void check_routes(std::string_view method, std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  const auto match = table().match(method, path);
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  const auto* found = table().find(method, path);
  if (!path.starts_with('/')) {
    FUZZ_REQUIRE(found == nullptr && match.route == nullptr && match.allowed.empty());
    return;
  }
  FUZZ_REQUIRE(match.route == nullptr || match.route == found);
  if (match.route != nullptr) {
    FUZZ_REQUIRE(match.allowed.empty() && match.route->method == wanted);
    FUZZ_REQUIRE(fits(match.route->path, path));
    check_parameters(match, path);
  }
  for (const auto& method_allowed : match.allowed) {
    FUZZ_REQUIRE(method_allowed != method);
  }
  for (const auto& route : table().routes()) {
    if (fits(route->path, path)) {
      FUZZ_REQUIRE(found != nullptr || !match.allowed.empty());
    }
  }
}

}  // namespace plexsphere::fuzz
