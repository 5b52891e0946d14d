// Values that may be absent, between rows and the code.
#pragma once

#include <optional>
#include <string>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::audit {

inline std::optional<sdk::Bytes> bytes_of(const std::optional<std::string>& value) {
  return value ? std::optional(sdk::Bytes{*value}) : std::nullopt;
}

inline std::optional<std::string> optional_bytes(const sdk::Row& row, std::size_t i) {
  return row.is_null(i) ? std::nullopt : std::optional(std::string(row.bytes(i)));
}

}  // namespace plexsphere::audit
