// Entries a workload leaves in its Node's state, and the rules for them. Pure, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::mesh {

inline constexpr std::size_t kMostReportValue = 4096;  // bytes of UTF-8

struct StateReport {
  std::string key;
  std::string value;
  std::optional<std::string> workload_tag;
};

// The three buckets of the blocks `state` and `reports`, each by ascending key.
struct StateEntries {
  std::vector<StateReport> metadata, data, reports;
};

// One lower-case letter, then up to 127 of lower-case letters, digits, ".", "_" and "-".
inline bool is_report_key(std::string_view key) {
  return !key.empty() && key.size() <= 128 && key.front() >= 'a' && key.front() <= 'z' &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string_view::npos;
}

}  // namespace plexsphere::mesh
