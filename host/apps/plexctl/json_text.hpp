// Server's JSON as the cells of a table, or printed whole. Pure.
#pragma once

#include <cstdint>
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

// What a JSON number surely holds.
inline constexpr std::uint64_t kMostEntries = 1ULL << 53;

// 0 when it is absent, no whole number or beyond kMostEntries.
inline std::uint64_t number_at(const Json& object, const char* name) {
  const auto at = object.is_object() ? object.find(name) : object.end();
  const bool whole = at != object.end() && at->is_number_unsigned();
  return whole && at->get<std::uint64_t>() < kMostEntries ? at->get<std::uint64_t>() : 0;
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
