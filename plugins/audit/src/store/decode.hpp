// Reads canonical bytes back: what the API shows of an entry comes from them, never from the filter
// columns beside them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plexsphere/sdk/time.hpp"

namespace plexsphere::audit {

struct DecodedEntry {
  std::string chain;
  sdk::Instant occurred_at;
  std::string reason;
  std::string relation;
  std::string object_type;
  std::string object_id;
  std::string subject_pseudonym;  // hex
  std::string correlation_id;
  std::vector<std::pair<std::string, std::vector<std::string>>> caveat_context;
};

// Nothing if the bytes are not an entry of version 1.
[[nodiscard]] std::optional<DecodedEntry> decode(std::string_view canonical);

}  // namespace plexsphere::audit
