// Decodes a chunked body (RFC 9112, 7.1) as it arrives.
//
// Thread safety: none; one decoder for one body. Chunk extensions and trailers are checked against
// the grammar, bounded, and dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/http/wire/head.hpp"

namespace plexsphere::host::http::wire {

class ChunkedDecoder {
 public:
  enum class Progress : unsigned char { kMore, kDone, kFault };

  // Takes from the front of `in`, appends what it decodes to `out`. `consumed` is how many bytes of
  // `in` belong to this body; after kDone the rest is the next request. Stops appending, but not
  // decoding, once `out` is longer than `limit`: `out.size() > limit` tells of the overflow.
  Progress feed(std::string_view in, std::size_t limit, std::string& out, std::size_t& consumed);
  const Fault& fault() const { return fault_; }
  // Decoded bytes so far, whether or not they were appended.
  std::uint64_t decoded() const { return decoded_; }

 private:
  // Private members are the implementer's.
  Fault fault_;
  std::uint64_t decoded_ = 0;
};

}  // namespace plexsphere::host::http::wire
