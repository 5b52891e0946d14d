// Between px_value and PostgreSQL's text format.
//
// A parameter in text is one without NUL, because libpqxx 6 cuts a std::string parameter there:
// bytea goes as \x hex, which has none, and text that contains one is refused here. Results come
// back as text in the formats that a Session fixes (UTC, ISO dates, hex bytea).
//
// Thread safety: pure functions; an Arena belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>

#include "plexsphere/abi/store.h"

namespace plexsphere::host::persistence {

// Largest single parameter and largest sum of one call, in bytes of PostgreSQL text.
inline constexpr std::size_t kMaxParameterBytes = 32u * 1024 * 1024;

// Memory of decoded bytes, arrays and cells; freed as a whole.
using Arena = std::pmr::monotonic_buffer_resource;

// Infinity of timestamptz, both ways.
inline constexpr std::int64_t kTimestampInfinity = INT64_MAX;
inline constexpr std::int64_t kTimestampMinusInfinity = INT64_MIN;

// The parameter's text, or nullopt for null (of whatever type). TEXT passes for a declared JSON.
// Throws StoreError(PX_INVALID_ARGUMENT): type differs from the declared one ("parameter_type"),
// text with a NUL ("text_contains_nul"), too large ("parameter_too_large"), time out of range.
[[nodiscard]] std::optional<std::string> encode_parameter(const px_value& value, px_type declared);

// Decodes one cell that is not null. Views of text point into `text`, everything else into `arena`.
// Throws StoreError(PX_INTERNAL, "result_type") when the text is not of the declared type.
[[nodiscard]] px_value decode_cell(std::string_view text, px_type declared, Arena& arena);

[[nodiscard]] px_value null_value(px_type declared);

// True for the types the wire knows.
[[nodiscard]] bool is_wire_type(px_type type);

// True when PostgreSQL's type `oid` may carry the wire type: parameters and results alike. Types
// that are not built in (enums, domains are reported as their base) pass as text.
[[nodiscard]] bool type_matches(std::uint32_t oid, px_type declared);

// "timestamptz[]" for messages.
[[nodiscard]] std::string wire_type_name(px_type type);

// 36-character lower-case text of a UUID.
[[nodiscard]] std::string uuid_text(const px_uuid& id);

// "2026-01-02 03:04:05.678901+00" of microseconds since 1970, years 1 to 9999.
[[nodiscard]] std::string timestamp_text(std::int64_t microseconds);

}  // namespace plexsphere::host::persistence
