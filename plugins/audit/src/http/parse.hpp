// What the API's callers send, checked. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "app/verifier.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

// The filters of a list. INVALID_ARGUMENT "invalid_filter" names the parameter and what it takes.
[[nodiscard]] sdk::Result<EntryFilter> parse_filter(const sdk::Request& request);

// A positive decimal number without sign or leading zero, or nothing.
[[nodiscard]] std::optional<std::int64_t> parse_seq(std::string_view text);

// The body of a verification; an empty one means the whole chain. INVALID_ARGUMENT "invalid_body".
[[nodiscard]] sdk::Result<Segment> parse_segment(std::string_view body);

// The body of an erasure: the identity. INVALID_ARGUMENT "invalid_body".
[[nodiscard]] sdk::Result<sdk::Uuid> parse_erasure(std::string_view body);

}  // namespace plexsphere::audit
