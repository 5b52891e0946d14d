// A parameter in the form it travels in. Types that have one form in SQL, which are bytea, uuid and
// arrays of them, travel in binary: half the bytes, and less than half the work on both sides. All
// others travel as text, which the server reads as whatever type the statement wants there.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>

#include "plexsphere/abi/store.h"

namespace plexsphere::host::persistence {

struct PackedParameter {
  std::string bytes;
  bool binary = false;
};

// Nullopt for null. Throws as encode_parameter does.
[[nodiscard]] std::optional<PackedParameter> pack_parameter(const px_value& value,
                                                            px_type declared);

}  // namespace plexsphere::host::persistence
