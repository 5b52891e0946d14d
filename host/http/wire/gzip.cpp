#include "host/http/wire/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>

namespace plexsphere::host::http::wire {
namespace {

constexpr std::size_t kBufferSize = 16 * 1024;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // inflateInit2: a gzip header, no zlib one

class Inflater {
 public:
  explicit Inflater(std::string_view in) : in_(in) {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      throw std::bad_alloc();  // it fails for nothing else with these arguments
    }
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  Inflated run(std::size_t limit, std::string& out) {
    do {
      inflateReset(&stream_);
      const Inflated member = run_member(limit, out);
      if (member != Inflated::kGood) {
        return member;
      }
    } while (input_left() > 0);
    return Inflated::kGood;
  }

 private:
  std::size_t input_left() const { return in_.size() + stream_.avail_in; }

  void refill() {
    const std::size_t size = std::min<std::size_t>(in_.size(), std::numeric_limits<uInt>::max());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in_.data()));  // zlib reads only
    stream_.avail_in = static_cast<uInt>(size);
    in_.remove_prefix(size);
  }

  Inflated run_member(std::size_t limit, std::string& out) {
    while (true) {
      if (stream_.avail_in == 0) {
        refill();
      }
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_MEM_ERROR) {
        throw std::bad_alloc();
      }
      const std::size_t size = buffer_.size() - stream_.avail_out;
      if (size > limit - out.size()) {
        return Inflated::kTooLarge;
      }
      out.append(reinterpret_cast<const char*>(buffer_.data()), size);
      if (result == Z_STREAM_END) {
        return Inflated::kGood;
      }
      if (result != Z_OK) {  // Z_BUF_ERROR: the input ends before the member does
        return Inflated::kMalformed;
      }
    }
  }

  std::string_view in_;  // not yet given to zlib
  z_stream stream_{};
  std::array<Bytef, kBufferSize> buffer_;
};

}  // namespace

Inflated gunzip(std::string_view in, std::size_t limit, std::string& out) {
  out.clear();
  const Inflated result = Inflater(in).run(limit, out);
  if (result != Inflated::kGood) {
    std::string().swap(out);
  }
  return result;
}

}  // namespace plexsphere::host::http::wire
