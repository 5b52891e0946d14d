// Decodes a chunked body (RFC 9112, 7.1) as it arrives.
//
// Thread safety: none; one decoder for one body. Chunk extensions and trailers are checked against
// the grammar, bounded (4 KiB of extensions and 8 KiB of trailers a body, 16 digits a size), and
// dropped. White space around extensions, which the RFC calls bad, is refused.
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
  // What the next byte is to be. Names are of RFC 9112, 7.1.
  enum class State : unsigned char {
    kSizeStart,       // first digit of a chunk-size
    kSize,            // another digit, or what ends them
    kExtensionStart,  // first byte of a chunk-ext-name
    kExtensionName,
    kExtensionValueStart,
    kExtensionToken,
    kExtensionQuoted,
    kExtensionEscaped,  // after a backslash
    kExtensionEnd,      // after a closing quote
    kSizeLineFeed,
    kData,
    kDataReturn,
    kDataLineFeed,
    kTrailerStart,  // of a line: a name, or the end
    kTrailerName,
    kTrailerValue,
    kTrailerLineFeed,
    kLastLineFeed,
    kDone,
    kFault,
  };

  std::size_t take_data(std::string_view in, std::size_t limit, std::string& out);
  void take_byte(char c);
  void take_size(char c);
  void take_size_end(char c);
  void take_extension(char c);
  void take_trailer(char c);
  void expect(char c, char wanted, State next, const Fault& otherwise);
  void fail(const Fault& fault);

  Fault fault_;
  std::uint64_t decoded_ = 0;
  std::uint64_t chunk_left_ = 0;       // of the chunk's data
  std::uint32_t extension_bytes_ = 0;  // of the whole body
  std::uint32_t trailer_bytes_ = 0;
  std::uint8_t digits_ = 0;  // of the chunk size that is read
  State state_ = State::kSizeStart;
};

}  // namespace plexsphere::host::http::wire
