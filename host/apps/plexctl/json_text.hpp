// Server's JSON as the cells of a table, or printed whole. Pure.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace plexsphere::plexctl {

using Json = nlohmann::ordered_json;

inline std::string pretty(const Json& json) {
  return json.dump(2) + "\n";
}

// Empty when it is absent.
inline std::string text_at(const Json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  if (at == object.end() || at->is_null()) {
    return {};
  }
  return at->is_string() ? at->get<std::string>() : at->dump();
}

inline std::vector<std::string> row_of(const Json& object,
                                       std::initializer_list<const char*> names) {
  std::vector<std::string> row;
  for (const char* name : names) {
    row.push_back(text_at(object, name));
  }
  return row;
}

}  // namespace plexsphere::plexctl
