// The relation check: may this subject have this name on this object, and along which path.
//
// Since the schema knows unions only, a check is reachability: start at object#name, follow terms
// and subject sets, and look for a tuple that names the subject. Each object#name is visited once,
// so cycles end, and at its smallest depth, so the depth limit does not depend on tuple order.
// A step to another object (an arrow, the platform, a subject set) is one deeper; another name of
// the same object is not. Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/graph.hpp"
#include "domain/relation.hpp"

namespace plexsphere::authz {

inline constexpr int kMostDepth = 32;  // steps to another object

struct Verdict {
  bool allowed = false;
  // Denied, but something beyond the depth limit was not looked at.
  bool cut = false;
  // object#name from the question to the tuple that granted; empty when denied.
  std::vector<std::string> path;
};

// A name that the object's type does not have grants nothing.
Verdict evaluate(const Graph& graph, const Subject& subject, std::string_view name,
                 const Object& object);

}  // namespace plexsphere::authz
