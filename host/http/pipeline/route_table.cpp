#include "host/http/pipeline/route_table.hpp"

#include <algorithm>
#include <set>

namespace plexsphere::host::http {
namespace {

constexpr std::size_t kMostSegments = 32;

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos || out.size() > kMostSegments) {
      return out;
    }
    path.remove_prefix(slash + 1);
  }
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

Status refused(const Route& route, const std::string& why) {
  return {Code::kInvalidArgument,
          "route " + route.method + " " + route.path + " of '" + route.owner + "' " + why};
}

}  // namespace

struct RouteTable::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::map<std::string, const Route*, std::less<>> methods;

  const Node* find(const std::vector<std::string_view>& segments, std::size_t at) const {
    if (at == segments.size()) {
      return methods.empty() ? nullptr : this;
    }
    if (const auto literal = literals.find(segments[at]); literal != literals.end()) {
      if (const Node* found = literal->second->find(segments, at + 1)) {
        return found;
      }
    }
    return parameter && !segments[at].empty() ? parameter->find(segments, at + 1) : nullptr;
  }
};

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;

Status RouteTable::add(Route route) {
  static const std::set<std::string, std::less<>> methods{"GET", "POST", "PUT", "PATCH", "DELETE"};
  if (methods.find(route.method) == methods.end()) {
    return refused(route, "has an unknown method: use GET, POST, PUT, PATCH or DELETE");
  }
  if (route.path.empty() || route.path.front() != '/') {
    return refused(route, "must begin with '/'");
  }
  const auto segments = segments_of(route.path);
  if (segments.size() > kMostSegments) {
    return refused(route, "has more than 32 segments");
  }
  std::set<std::string_view> names;
  Node* node = root_.get();
  for (const auto segment : segments) {
    if (is_parameter(segment)) {
      if (!names.insert(segment).second) {
        return refused(route, "names the parameter " + std::string(segment) + " twice");
      }
      if (!node->parameter) {
        node->parameter = std::make_unique<Node>();
      }
      node = node->parameter.get();
    } else if (segment.find_first_of("{}%?#") != std::string_view::npos ||
               (segment.empty() && segments.size() > 1)) {
      return refused(route, "has the badly formed segment '" + std::string(segment) + "'");
    } else {
      auto& next = node->literals[std::string(segment)];
      if (!next) {
        next = std::make_unique<Node>();
      }
      node = next.get();
    }
  }
  if (const auto taken = node->methods.find(route.method); taken != node->methods.end()) {
    return {Code::kAlreadyExists, "route " + route.method + " " + route.path + " of '" +
                                      route.owner + "' is already taken by '" +
                                      taken->second->owner + "' (" + taken->second->path + ")"};
  }
  routes_.push_back(std::make_unique<Route>(std::move(route)));
  node->methods.emplace(routes_.back()->method, routes_.back().get());
  return {};
}

Match RouteTable::match(std::string_view method, std::string_view path) const {
  Match match;
  if (path.empty() || path.front() != '/') {
    return match;
  }
  const auto segments = segments_of(path);
  const Node* node = segments.size() > kMostSegments ? nullptr : root_->find(segments, 0);
  if (node == nullptr) {
    return match;
  }
  const auto found = node->methods.find(method == "HEAD" ? std::string_view("GET") : method);
  if (found == node->methods.end()) {
    for (const auto& [name, route] : node->methods) {
      match.allowed.push_back(name);
      if (name == "GET") {
        match.allowed.emplace_back("HEAD");
      }
    }
    return match;
  }
  const auto names = segments_of(found->second->path);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!is_parameter(names[i])) {
      continue;
    }
    std::string value;
    if (!percent_decode(segments[i], false, value)) {
      return {};  // no such resource can exist
    }
    match.parameters.emplace_back(names[i].substr(1, names[i].size() - 2), std::move(value));
  }
  match.route = found->second;
  return match;
}

}  // namespace plexsphere::host::http
