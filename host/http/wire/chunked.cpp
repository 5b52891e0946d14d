#include "host/http/wire/chunked.hpp"

#include <algorithm>
#include <limits>

#include "host/http/wire/bytes.hpp"
#include "host/http/wire/faults.hpp"

namespace plexsphere::host::http::wire {
namespace {

constexpr std::uint8_t kMaxSizeDigits = 16;
constexpr std::uint64_t kLargestChunk = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t kMaxExtensionBytes = 4 * 1024;
constexpr std::uint32_t kMaxTrailerBytes = 8 * 1024;

std::uint64_t hex_digit(char c) {
  return static_cast<std::uint64_t>(is(c, kDigit) ? c - '0' : (c | 0x20) - 'a' + 10);
}

const Fault& fault_of(char c, const Fault& otherwise) {
  return c == '\n' ? kBareLf : c == '\0' ? kNul : otherwise;
}

}  // namespace

ChunkedDecoder::Progress ChunkedDecoder::feed(std::string_view in, std::size_t limit,
                                              std::string& out, std::size_t& consumed) {
  consumed = 0;
  while (consumed < in.size() && state_ != State::kDone && state_ != State::kFault) {
    if (state_ == State::kData) {
      consumed += take_data(in.substr(consumed), limit, out);
    } else {
      take_byte(in[consumed++]);
    }
  }
  if (state_ == State::kFault) {
    return Progress::kFault;
  }
  return state_ == State::kDone ? Progress::kDone : Progress::kMore;
}

std::size_t ChunkedDecoder::take_data(std::string_view in, std::size_t limit, std::string& out) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), chunk_left_));
  if (out.size() <= limit) {
    const std::size_t room = limit - out.size();
    out.append(in.substr(0, size > room ? room + 1 : size));
  }
  decoded_ += size;
  chunk_left_ -= size;
  if (chunk_left_ == 0) {
    state_ = State::kDataReturn;
  }
  return size;
}

void ChunkedDecoder::take_byte(char c) {
  switch (state_) {
    case State::kSizeStart:
    case State::kSize:
      return take_size(c);
    case State::kExtensionStart:
    case State::kExtensionName:
    case State::kExtensionValueStart:
    case State::kExtensionToken:
    case State::kExtensionQuoted:
    case State::kExtensionEscaped:
    case State::kExtensionEnd:
      return take_extension(c);
    case State::kSizeLineFeed:
      return expect(c, '\n', chunk_left_ > 0 ? State::kData : State::kTrailerStart, kBareCr);
    case State::kDataReturn:
      return expect(c, '\r', State::kDataLineFeed, kBadChunkEnd);
    case State::kDataLineFeed:
      return expect(c, '\n', State::kSizeStart, kBadChunkEnd);
    case State::kTrailerStart:
    case State::kTrailerName:
    case State::kTrailerValue:
    case State::kTrailerLineFeed:
      return take_trailer(c);
    case State::kLastLineFeed:
      return expect(c, '\n', State::kDone, kBareCr);
    case State::kData:
    case State::kDone:
    case State::kFault:
      return;
  }
}

void ChunkedDecoder::take_size(char c) {
  if (!is(c, kHex)) {
    return state_ == State::kSize ? take_size_end(c) : fail(fault_of(c, kBadChunkSize));
  }
  if (state_ == State::kSizeStart) {
    state_ = State::kSize;
    digits_ = 0;
    chunk_left_ = 0;
  }
  if (++digits_ > kMaxSizeDigits) {
    return fail(kChunkOverflow);
  }
  chunk_left_ = chunk_left_ << 4U | hex_digit(c);
  if (chunk_left_ > kLargestChunk - decoded_) {
    fail(kChunkOverflow);
  }
}

// What may follow a chunk size, or one of its extensions.
void ChunkedDecoder::take_size_end(char c) {
  if (c == '\r') {
    state_ = State::kSizeLineFeed;
  } else if (c == ';') {
    state_ = State::kExtensionStart;
  } else {
    fail(fault_of(c, state_ == State::kSize ? kBadChunkSize : kBadExtension));
  }
}

void ChunkedDecoder::take_extension(char c) {
  if (++extension_bytes_ > kMaxExtensionBytes) {
    return fail(kLongExtensions);
  }
  const bool token = is(c, kToken);
  if (state_ == State::kExtensionStart && token) {
    state_ = State::kExtensionName;
  } else if (state_ == State::kExtensionName && c == '=') {
    state_ = State::kExtensionValueStart;
  } else if (state_ == State::kExtensionValueStart && token) {
    state_ = State::kExtensionToken;
  } else if (state_ == State::kExtensionValueStart && c == '"') {
    state_ = State::kExtensionQuoted;
  } else if (state_ == State::kExtensionQuoted && c == '"') {
    state_ = State::kExtensionEnd;
  } else if (state_ == State::kExtensionQuoted && c == '\\') {
    state_ = State::kExtensionEscaped;
  } else if (state_ == State::kExtensionEscaped && is(c, kFieldValue)) {
    state_ = State::kExtensionQuoted;
  } else if (state_ == State::kExtensionName || state_ == State::kExtensionToken) {
    return token ? void() : take_size_end(c);
  } else if (state_ == State::kExtensionEnd) {
    return take_size_end(c);
  } else if (state_ != State::kExtensionQuoted || !is(c, kQuoted)) {
    fail(fault_of(c, kBadExtension));
  }
}

void ChunkedDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > kMaxTrailerBytes) {
    return fail(kLongTrailers);
  }
  if (state_ == State::kTrailerLineFeed) {
    return expect(c, '\n', State::kTrailerStart, kBareCr);
  }
  if (state_ == State::kTrailerStart) {
    if (c == '\r') {
      state_ = State::kLastLineFeed;
    } else if (is(c, kToken)) {
      state_ = State::kTrailerName;
    } else {
      fail(fault_of(c, c == ' ' || c == '\t' ? kObsFold : kBadName));
    }
  } else if (state_ == State::kTrailerName) {
    if (c == ':') {
      state_ = State::kTrailerValue;
    } else if (!is(c, kToken)) {
      const bool blank = c == ' ' || c == '\t';
      fail(fault_of(c, c == '\r' ? kNoColon : blank ? kSpaceBeforeColon : kBadName));
    }
  } else if (c == '\r') {
    state_ = State::kTrailerLineFeed;
  } else if (!is(c, kFieldValue)) {
    fail(fault_of(c, kControl));
  }
}

void ChunkedDecoder::expect(char c, char wanted, State next, const Fault& otherwise) {
  if (c == wanted) {
    state_ = next;
  } else {
    fail(otherwise);
  }
}

void ChunkedDecoder::fail(const Fault& fault) {
  fault_ = fault;
  state_ = State::kFault;
}

}  // namespace plexsphere::host::http::wire
