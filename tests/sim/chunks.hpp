// A chunked HTTP body (RFC 9112, 7.1) that comes in pieces, without waiting for whole chunks.
//
// Not thread-safe. Regular value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plexsphere::sim {

class ChunkDecoder {
 public:
  // What these bytes hold of the body. Throws std::runtime_error for what is no chunk.
  std::string feed(std::string_view bytes);
  // The last chunk has come.
  bool ended() const { return step_ == Step::kEnded; }

 private:
  enum class Step { kSize, kData, kDataEnd, kEnded };
  void take_line(std::string_view line);

  Step step_ = Step::kSize;
  std::string line_;      // of a size, or after the data, so far
  std::size_t left_ = 0;  // of the chunk
};

}  // namespace plexsphere::sim
