#include "sim/sse.hpp"

#include <stdexcept>
#include <utility>

namespace plexsphere::sim {

std::vector<SseEvent> SseParser::feed(std::string_view bytes) {
  std::vector<SseEvent> out;
  unfinished_.append(bytes);
  std::string_view rest = unfinished_;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    take_line(line, out);
  }
  if (rest.size() > kMostSseLine) {
    throw std::length_error("a line of the stream is longer than 64 KiB");
  }
  unfinished_.erase(0, unfinished_.size() - rest.size());
  return out;
}

void SseParser::take_line(std::string_view line, std::vector<SseEvent>& out) {
  if (line.size() > kMostSseLine) {
    throw std::length_error("a line of the stream is longer than 64 KiB");
  }
  if (line.empty()) {
    dispatch(out);
    return;
  }
  const auto colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  if (field == "id") {
    last_id_ = value;
  } else if (field == "event") {
    event_ = value;
  } else if (field == "data") {
    data_.append(has_data_ ? "\n" : "").append(value);
    has_data_ = true;
  }  // a comment has an empty field; unknown fields are ignored
}

void SseParser::dispatch(std::vector<SseEvent>& out) {
  if (has_data_) {
    out.push_back({last_id_, event_, data_});
  }
  event_.clear();
  data_.clear();
  has_data_ = false;
}

}  // namespace plexsphere::sim
