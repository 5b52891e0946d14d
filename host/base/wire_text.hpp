// Between the wire's views and the host's strings.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "host/base/uuid.hpp"
#include "plexsphere/abi/base.h"

namespace plexsphere::host {

inline px_str wire(std::string_view text) {
  return {text.data(), text.size()};
}

inline std::string_view view(px_str text) {
  return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len);
}

inline std::string text(px_str in) {
  return std::string(view(in));
}

inline px_uuid wire(const UuidBytes& uuid) {
  px_uuid out{};
  std::copy(uuid.begin(), uuid.end(), out.b);
  return out;
}

inline UuidBytes bytes(const px_uuid& uuid) {
  UuidBytes out{};
  std::copy_n(uuid.b, out.size(), out.begin());
  return out;
}

}  // namespace plexsphere::host
