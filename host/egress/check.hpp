// Judges what a plugin asks for before anything of it leaves the host.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/egress/request.hpp"

namespace plexsphere::host::egress {

inline constexpr std::size_t kLongestUrl = 8 * 1024;
inline constexpr std::size_t kMostHeaders = 64;
inline constexpr std::size_t kMostHeaderBytes = 32 * 1024;
inline constexpr std::size_t kLargestBody = 64 * 1024 * 1024;
inline constexpr std::size_t kLargestResponse = 64 * 1024 * 1024;

// Splits an absolute URL into `origin` and `target`. The fault says what is wrong with it.
std::optional<Fault> set_url(Request& request, std::string_view url);

// Method, headers, body and the answer's ceiling.
std::optional<Fault> check_parts(const Request& request);

// Brings the target into the one order that is signed, and refuses what cannot be signed so that a
// strict verifier agrees; docs/plugin-author/egress.md says why.
// Requires set_url and request.signature.
std::optional<Fault> make_signable(Request& request);

}  // namespace plexsphere::host::egress
