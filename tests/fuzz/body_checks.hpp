// Holds the chunk decoder against itself in pieces and against a naive one, and gzip against its
// cap.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace plexsphere::fuzz {

// How many of `bytes` belong to the chunked body at their front; nullopt when it is refused or not
// all there. What it decodes to is checked as gzip as well.
std::optional<std::size_t> check_chunked(std::string_view bytes);

void check_gzip(std::string_view bytes);

}  // namespace plexsphere::fuzz
