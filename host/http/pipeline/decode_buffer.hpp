// Percent-decoded pieces of one request target.
//
// Thread safety: none. Ownership: pieces view the target itself where nothing had to be decoded,
// else this buffer, which may be moved; both must outlive them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "plexsphere/abi/base.h"

namespace plexsphere::host::http {

class DecodeBuffer {
 public:
  // `piece` is part of a text of `whole` bytes; all pieces together must not be longer than it,
  // and `whole` the same for every call. Null for a bad escape or a NUL (RFC 3986, 2.1).
  std::optional<px_str> decode(std::string_view piece, bool plus_is_space, std::size_t whole);

 private:
  std::unique_ptr<char[]> bytes_;  // made when first needed
  std::size_t used_ = 0;
};

}  // namespace plexsphere::host::http
