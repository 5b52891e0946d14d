// Text that comes from outside and must become part of the record whatever it is. Pure.
#pragma once

#include <string>
#include <string_view>

namespace plexsphere::audit {

// Valid UTF-8 (RFC 3629) without NUL: each offending byte becomes U+FFFD, so that an attempt with a
// broken name is recorded instead of lost.
[[nodiscard]] std::string clean_text(std::string_view text);

// At most `bytes` bytes of clean text, cut between characters.
[[nodiscard]] std::string clean_prefix(std::string_view text, std::size_t bytes);

}  // namespace plexsphere::audit
