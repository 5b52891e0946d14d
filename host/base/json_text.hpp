// Appends JSON text (RFC 8259) to a string without building a document: for log lines and problem
// documents, which are written on every request.
//
// Thread safety: free functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plexsphere::host {

// A string with its quotes. Control characters, quote and backslash are escaped; each maximal
// ill-formed part of UTF-8 (Unicode 15, 3.9, table 3-7) becomes one U+FFFD.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, std::int64_t value);
// The shortest text that reads back as the same number; "null" for what JSON has no number for.
void append_json_number(std::string& out, double value);

}  // namespace plexsphere::host
