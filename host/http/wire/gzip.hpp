// Inflates a gzip body (RFC 1952, one member or several) under a cap.
//
// Thread safety: free function without state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plexsphere::host::http::wire {

enum class Inflated : unsigned char { kGood, kMalformed, kTooLarge };

// Never holds more than `limit` bytes of output plus one buffer; bytes after the last member are
// malformed. `out` is valid only with kGood.
Inflated gunzip(std::string_view in, std::size_t limit, std::string& out);

}  // namespace plexsphere::host::http::wire
