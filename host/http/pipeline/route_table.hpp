// Finds the route of a path. Literal segments win over parameters, segment by segment.
//
// Thread safety: immutable after the last add. Ownership: owns its routes; pointers to them stay
// valid as long as the table.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/pipeline/decode_buffer.hpp"
#include "host/http/pipeline/route.hpp"

namespace plexsphere::host::http {

inline constexpr std::size_t kMostPathParameters = 8;  // of one route

// Views the path that was matched and the table.
struct Match {
  const Route* route = nullptr;
  std::array<px_pair, kMostPathParameters> values{};
  std::size_t count = 0;
  DecodeBuffer decoded;
  // Methods of the path, sorted, when it exists but not for this method.
  std::vector<std::string_view> allowed;

  // Decoded, in path order.
  std::span<const px_pair> parameters() const { return {values.data(), count}; }
};

class RouteTable {
 public:
  RouteTable();
  ~RouteTable();

  // Refused: a template that is badly formed, names a parameter twice, is longer than 32 segments,
  // has more than 8 parameters, or collides with an earlier one (same shape, same method).
  Status add(Route route);
  // `path` undecoded, beginning with '/'. HEAD is answered by the GET route. Allocates
  // nothing but for escapes and for a method that the path does not have.
  Match match(std::string_view method, std::string_view path) const;
  // The route alone, or null; what match would find unless a parameter is badly encoded.
  const Route* find(std::string_view method, std::string_view path) const;

  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;
  struct Target;

  std::vector<std::unique_ptr<Route>> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace plexsphere::host::http
