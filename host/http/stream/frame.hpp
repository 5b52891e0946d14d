// One server-sent event as it goes on the wire (WHATWG HTML, 9.2), rendered once for everybody.
//
// Thread safety: values; a Frame never changes after it was made. Ownership: a frame is shared by
// the queues that still have to send it, and dies with the last of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/base/result.hpp"

namespace plexsphere::host::http {

inline constexpr std::size_t kMostFrameData = 1024 * 1024;  // bytes
inline constexpr std::size_t kMostFrameName = 1024;         // bytes of an id, and of an event

// What a frame says. An empty id or event has no line.
struct Event {
  std::uint64_t sequence = 0;  // 0: has none
  std::string_view id;
  std::string_view event;
  std::string_view data;
};

// The text with the framing of an HTTP chunk (RFC 9112, 7.1) around it, in one allocation: a client
// of HTTP/1.1 gets the whole, one of HTTP/1.0 the text.
struct Frame {
  std::string bytes;
  std::uint32_t text_begin = 0;
  std::uint32_t text_size = 0;
  std::uint64_t sequence = 0;
  bool counted = true;  // false for keep-alives, which are no events

  std::string_view wire(bool chunked) const noexcept {
    return chunked ? std::string_view(bytes)
                   : std::string_view(bytes).substr(text_begin, text_size);
  }
};
using FramePtr = std::shared_ptr<const Frame>;

// "id:", "event:" and one "data:" line for each line of data (ended by LF, CRLF or CR), then an
// empty line. kInvalidArgument, with the reason as message: CR, LF or NUL in id or event, or
// more bytes than the limits above.
Result<FramePtr> render(const Event& event);

// The comment ":keep-alive".
FramePtr keep_alive_frame();

// Tells the client how long to wait before it connects again; no event.
FramePtr retry_frame(std::chrono::milliseconds wait);

// What ends a chunked body.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace plexsphere::host::http
