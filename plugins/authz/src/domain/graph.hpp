// The tuples that one check looks at, indexed by what they hang on. Not thread safe; owned by the
// check.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/relation.hpp"

namespace plexsphere::authz {

class Graph {
 public:
  Graph() = default;
  explicit Graph(std::span<const RelationTuple> tuples) {
    for (const RelationTuple& tuple : tuples) {
      add(tuple);
    }
  }

  void add(const RelationTuple& tuple) {
    by_relation_[{tuple.object, tuple.relation}].push_back(tuple.subject);
  }

  // Who stands in tuples object#relation@…; lives as long as the graph is not added to.
  std::span<const Subject> subjects(const Object& object, std::string_view relation) const {
    const auto at = by_relation_.find({object, std::string(relation)});
    return at == by_relation_.end() ? std::span<const Subject>{} : at->second;
  }

 private:
  std::map<std::pair<Object, std::string>, std::vector<Subject>> by_relation_;
};

}  // namespace plexsphere::authz
