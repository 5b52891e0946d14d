// The authorisation schema, compiled in: which names an object type has, who may stand in a tuple
// of it, and what each name is the union of.
//
// A name is a relation when tuples may be written for it, a permission when it is only computed;
// some are both ("maintainer"). Everything is a union: no name ever takes a right away, so adding
// a tuple can only grant. Immutable, any thread.
#pragma once

#include <span>
#include <string_view>

namespace plexsphere::authz {

struct Term {
  enum class Kind {
    same,      // another name of the same object
    arrow,     // `name` of every object this one points to by the relation `through`
    platform,  // `name` of the platform, whether or not a tuple says that it is the ancestor
    itself,    // the object as a subject
  };
  Kind kind;
  std::string_view name = {};
  std::string_view through = {};
};

struct Rule {
  std::string_view type;
  std::string_view name;
  // Who may be written as subject: "user", "group#member"; empty for what is only computed.
  std::span<const std::string_view> subjects;
  std::span<const Term> terms;

  bool is_relation() const { return !subjects.empty(); }
};

// Null when the type has no such name.
const Rule* find_rule(std::string_view type, std::string_view name);
bool is_object_type(std::string_view type);
// All rules, grouped by type; for tests and documentation.
std::span<const Rule> all_rules();

// Whether a tuple type#relation@subject may be written.
bool allows_subject(const Rule& rule, std::string_view subject_type,
                    std::string_view subject_relation);

}  // namespace plexsphere::authz
