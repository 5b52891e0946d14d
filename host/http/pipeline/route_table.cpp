#include "host/http/pipeline/route_table.hpp"

#include <algorithm>
#include <utility>

#include "host/base/wire_text.hpp"

namespace plexsphere::host::http {
namespace {

constexpr std::size_t kMostSegments = 32;

struct Segments {
  std::array<std::string_view, kMostSegments> list;
  std::size_t count = 0;
  bool too_many = false;

  std::string_view operator[](std::size_t at) const { return list[at]; }
};

Segments segments_of(std::string_view path) {
  Segments out;
  for (;;) {
    path.remove_prefix(1);
    if (out.count == kMostSegments) {
      out.too_many = true;
      return out;
    }
    const auto slash = path.find('/');
    out.list[out.count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) {
      return out;
    }
    path.remove_prefix(slash);
  }
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::string_view answering(std::string_view method) {
  return method == "HEAD" ? std::string_view("GET") : method;
}

Status refused(const Route& route, const std::string& why) {
  return {Code::kInvalidArgument,
          "route " + route.method + " " + route.path + " of '" + route.owner + "' " + why};
}

}  // namespace

// What answers one method of one template.
struct RouteTable::Target {
  struct Parameter {
    std::size_t segment;
    std::string_view name;  // of the route's own path
  };

  std::string method;
  const Route* route = nullptr;
  std::vector<Parameter> parameters;
};

struct RouteTable::Node {
  struct Child {
    std::string segment;
    std::unique_ptr<Node> node;
  };

  std::vector<Child> literals;  // sorted
  std::unique_ptr<Node> parameter;
  std::vector<Target> targets;  // sorted by method

  Node* literal(std::string_view segment) const {
    const auto at = std::lower_bound(
        literals.begin(), literals.end(), segment,
        [](const Child& child, std::string_view wanted) { return child.segment < wanted; });
    return at != literals.end() && at->segment == segment ? at->node.get() : nullptr;
  }

  const Target* target(std::string_view method) const {
    for (const auto& one : targets) {
      if (one.method == method) {
        return &one;
      }
    }
    return nullptr;
  }

  const Node* find(const Segments& segments, std::size_t at) const {
    if (at == segments.count) {
      return targets.empty() ? nullptr : this;
    }
    if (const Node* child = literal(segments[at])) {
      if (const Node* found = child->find(segments, at + 1)) {
        return found;
      }
    }
    return parameter && !segments[at].empty() ? parameter->find(segments, at + 1) : nullptr;
  }

  Node& make_literal(std::string_view segment) {
    if (Node* known = literal(segment)) {
      return *known;
    }
    const auto at = std::lower_bound(
        literals.begin(), literals.end(), segment,
        [](const Child& child, std::string_view wanted) { return child.segment < wanted; });
    return *literals.insert(at, {std::string(segment), std::make_unique<Node>()})->node;
  }

  Node& make_parameter() {
    if (!parameter) {
      parameter = std::make_unique<Node>();
    }
    return *parameter;
  }
};

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;

Status RouteTable::add(Route route) {
  static constexpr std::array<std::string_view, 5> kMethods{"GET", "POST", "PUT", "PATCH",
                                                            "DELETE"};
  if (std::find(kMethods.begin(), kMethods.end(), route.method) == kMethods.end()) {
    return refused(route, "has an unknown method: use GET, POST, PUT, PATCH or DELETE");
  }
  if (route.path.empty() || route.path.front() != '/') {
    return refused(route, "must begin with '/'");
  }
  auto owned = std::make_unique<Route>(std::move(route));
  const Segments segments = segments_of(owned->path);
  if (segments.too_many) {
    return refused(*owned, "has more than 32 segments");
  }
  Target target{owned->method, owned.get(), {}};
  Node* node = root_.get();
  for (std::size_t i = 0; i < segments.count; ++i) {
    const auto segment = segments[i];
    if (is_parameter(segment)) {
      const auto name = segment.substr(1, segment.size() - 2);
      for (const auto& known : target.parameters) {
        if (known.name == name) {
          return refused(*owned, "names the parameter " + std::string(segment) + " twice");
        }
      }
      target.parameters.push_back({i, name});
      node = &node->make_parameter();
    } else if (segment.find_first_of("{}%?#") != std::string_view::npos ||
               (segment.empty() && segments.count > 1)) {
      return refused(*owned, "has the badly formed segment '" + std::string(segment) + "'");
    } else {
      node = &node->make_literal(segment);
    }
  }
  if (target.parameters.size() > kMostPathParameters) {
    return refused(*owned, "has more than 8 parameters");
  }
  if (const Target* taken = node->target(owned->method)) {
    return {Code::kAlreadyExists, "route " + owned->method + " " + owned->path + " of '" +
                                      owned->owner + "' is already taken by '" +
                                      taken->route->owner + "' (" + taken->route->path + ")"};
  }
  const auto at = std::lower_bound(
      node->targets.begin(), node->targets.end(), target.method,
      [](const Target& one, const std::string& method) { return one.method < method; });
  node->targets.insert(at, std::move(target));
  routes_.push_back(std::move(owned));
  return {};
}

Match RouteTable::match(std::string_view method, std::string_view path) const {
  Match match;
  if (path.empty() || path.front() != '/') {
    return match;
  }
  const Segments segments = segments_of(path);
  const Node* node = segments.too_many ? nullptr : root_->find(segments, 0);
  if (node == nullptr) {
    return match;
  }
  const Target* found = node->target(answering(method));
  if (found == nullptr) {
    for (const auto& target : node->targets) {
      match.allowed.push_back(target.method);
      if (target.method == "GET") {
        match.allowed.emplace_back("HEAD");
      }
    }
    return match;
  }
  for (const auto& parameter : found->parameters) {
    const auto value = match.decoded.decode(segments[parameter.segment], false, path.size());
    if (!value) {
      return {};  // no such resource can exist
    }
    match.values[match.count++] = {wire(parameter.name), *value};
  }
  match.route = found->route;
  return match;
}

const Route* RouteTable::find(std::string_view method, std::string_view path) const {
  if (path.empty() || path.front() != '/') {
    return nullptr;
  }
  const Segments segments = segments_of(path);
  const Node* node = segments.too_many ? nullptr : root_->find(segments, 0);
  const Target* found = node == nullptr ? nullptr : node->target(answering(method));
  return found == nullptr ? nullptr : found->route;
}

}  // namespace plexsphere::host::http
