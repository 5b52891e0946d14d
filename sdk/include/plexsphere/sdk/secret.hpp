// Bytes that must not be printed, copied or left behind in memory.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "plexsphere/abi/base.h"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

// Overwrites in a way that the compiler must keep.
inline void zero(void* at, std::size_t size) {
  explicit_bzero(at, size);
}
inline void zero(std::string& text) {
  zero(text.data(), text.size());
  text.clear();
}

// Time depends on the lengths only.
inline bool constant_time_equal(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) {
    return false;
  }
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

// Owns a secret handle of the wire. Move-only; zeroed and freed by its maker when this ends.
class Secret {
 public:
  Secret() = default;
  explicit Secret(px_secret wire) : wire_(wire) {}
  Secret(Secret&& other) noexcept : wire_(std::exchange(other.wire_, {})) {}
  Secret& operator=(Secret&& other) noexcept {
    std::swap(wire_, other.wire_);
    return *this;
  }
  ~Secret() {
    if (wire_.release != nullptr) {
      wire_.release(wire_.self);
    }
  }
  std::string_view bytes() const { return view(wire_.bytes); }

 private:
  px_secret wire_{};
};

}  // namespace plexsphere::sdk::inline v1
