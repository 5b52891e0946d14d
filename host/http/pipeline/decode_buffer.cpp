#include "host/http/pipeline/decode_buffer.hpp"

#include <algorithm>
#include <string>

#include "host/base/wire_text.hpp"
#include "host/http/message.hpp"

namespace plexsphere::host::http {

std::optional<px_str> DecodeBuffer::decode(std::string_view piece, bool plus_is_space,
                                           std::size_t whole) {
  constexpr std::string_view kSpecial("%+\0", 3);
  if (piece.find_first_of(kSpecial) == std::string_view::npos) {
    return wire(piece);
  }
  std::string decoded;
  if (!percent_decode(piece, plus_is_space, decoded)) {
    return std::nullopt;
  }
  if (!bytes_) {
    bytes_ = std::make_unique<char[]>(whole);
  }
  char* const at = bytes_.get() + used_;
  std::copy(decoded.begin(), decoded.end(), at);
  used_ += decoded.size();
  return px_str{at, decoded.size()};
}

}  // namespace plexsphere::host::http
