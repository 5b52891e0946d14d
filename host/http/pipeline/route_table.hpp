// Finds the route of a path. Literal segments win over parameters, segment by segment.
//
// Thread safety: immutable after the last add. Ownership: owns its routes; pointers to them stay
// valid as long as the table.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/pipeline/route.hpp"

namespace plexsphere::host::http {

struct Match {
  const Route* route = nullptr;
  std::vector<std::pair<std::string, std::string>> parameters;  // decoded, in path order
  std::vector<std::string> allowed;  // methods of the path, when it exists but not for this method
};

class RouteTable {
 public:
  RouteTable();
  ~RouteTable();

  // Refused: a template that is badly formed, names a parameter twice, is longer than 32 segments,
  // or collides with an earlier one (same shape, same method).
  Status add(Route route);
  // `path` undecoded, beginning with '/'. HEAD is answered by the GET route.
  Match match(std::string_view method, std::string_view path) const;

  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;

  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace plexsphere::host::http
