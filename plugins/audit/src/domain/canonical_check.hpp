// Whether stored bytes are canonical bytes of version 1 (see record.hpp) that say what the filter
// columns beside them say: read once from the left, without building anything, since every entry of
// every chain is checked again and again. Pure.
//
// Strict: the members are those of version 1, each once and in order, escaped as the encoder
// escapes, and nothing follows. What the free members hold is not judged, only that it is of their
// shape.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace plexsphere::audit {

struct FilterColumns {
  std::string_view chain;  // UUID text
  std::int64_t seq = 0;
  std::chrono::sys_time<std::chrono::microseconds> occurred_at;
  std::string_view reason;
  std::string_view relation;
  std::string_view object_type;
  std::string_view object_id;
  std::string_view subject_pseudonym;  // 32 raw bytes
  std::string_view correlation_id;
};

// The digest of the request's context, hex, that canonical bytes end with; empty where they have
// none.
[[nodiscard]] std::string_view context_digest(std::string_view canonical);

// Whether the digits are these bytes in lower-case hex.
[[nodiscard]] bool is_hex_of(std::string_view digits, std::string_view bytes);

[[nodiscard]] bool says_exactly(std::string_view canonical, const FilterColumns& columns);

}  // namespace plexsphere::audit
