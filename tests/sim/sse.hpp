// Server-sent events as an agent reads them (WHATWG HTML, 9.2), from bytes that come in pieces.
//
// Not thread-safe. Regular value.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::sim {

inline constexpr std::size_t kMostSseLine = 64 * 1024;  // bytes; what the agent reads at most

struct SseEvent {
  std::string id;     // the last one the stream has named, this event's or an earlier one's
  std::string event;  // may be empty
  std::string data;   // of several lines: joined by LF
};

class SseParser {
 public:
  // The events that these bytes complete, in order. Throws std::length_error at a line that is too
  // long; the stream is over then.
  std::vector<SseEvent> feed(std::string_view bytes);

  // What a reconnecting client sends as Last-Event-ID; empty when there was none.
  const std::string& last_id() const { return last_id_; }

 private:
  void take_line(std::string_view line, std::vector<SseEvent>& out);
  void dispatch(std::vector<SseEvent>& out);

  std::string unfinished_;  // a line without its end
  std::string last_id_;
  std::string event_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace plexsphere::sim
