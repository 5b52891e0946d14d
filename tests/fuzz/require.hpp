// A statement that holds for every input there is. When one does not, the input is printed and the
// program aborts, which is what libFuzzer and ctest both take for a find.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace plexsphere::fuzz {

inline std::string_view& current_input() {
  static std::string_view input;
  return input;
}

[[noreturn]] inline void give_up(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\ninput, as a C string: \"", file, line, what);
  for (const char c : current_input()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
    std::fprintf(stderr, plain ? "%c" : "\\%03o", plain ? c : byte);
  }
  std::fputs("\"\n", stderr);
  std::abort();
}

}  // namespace plexsphere::fuzz

#define FUZZ_REQUIRE(what) \
  ((what) ? void() : ::plexsphere::fuzz::give_up(#what, __FILE__, __LINE__))
