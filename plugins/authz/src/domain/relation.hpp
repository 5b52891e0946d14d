// The words of relation-based access control: objects, subjects, tuples. Regular value types, any
// thread. Text forms are the contract's: object "type:id", subject "type:id" or "type:id#relation",
// tuple "object#relation@subject".
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace plexsphere::authz {

// The one object that is an ancestor of every other.
inline constexpr std::string_view kPlatformType = "platform";
inline constexpr std::string_view kPlatformId = "plexsphere";

struct Object {
  std::string type;
  std::string id;

  std::string text() const { return type + ":" + id; }
  auto operator<=>(const Object&) const = default;
  bool operator==(const Object&) const = default;
};

inline Object platform() {
  return {std::string(kPlatformType), std::string(kPlatformId)};
}

// With a relation: everyone who has that relation to the object ("group:g#member").
struct Subject {
  Object object;
  std::string relation = {};

  bool is_set() const { return !relation.empty(); }
  auto operator<=>(const Subject&) const = default;
  bool operator==(const Subject&) const = default;
};

struct RelationTuple {
  Object object;
  std::string relation;
  Subject subject;

  auto operator<=>(const RelationTuple&) const = default;
  bool operator==(const RelationTuple&) const = default;
};

}  // namespace plexsphere::authz
