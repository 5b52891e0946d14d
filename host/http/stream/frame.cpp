#include "host/http/stream/frame.hpp"

#include <array>
#include <charconv>

namespace plexsphere::host::http {
namespace {

constexpr std::string_view kLineBreaks{"\r\n", 2};
constexpr std::string_view kForbidden{"\r\n\0", 3};

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += '\n';
}

Status check_name(std::string_view field, std::string_view value) {
  if (value.find_first_of(kForbidden) != std::string_view::npos) {
    return {Code::kInvalidArgument,
            "the " + std::string(field) + " of a frame holds CR, LF or NUL"};
  }
  if (value.size() > kMostFrameName) {
    return {Code::kInvalidArgument, "the " + std::string(field) + " of a frame has " +
                                        std::to_string(value.size()) + " bytes; the most is 1024"};
  }
  return {};
}

// A CR alone ends a line too: left in place it would let data pose as another field.
void append_data(std::string& out, std::string_view data) {
  for (;;) {
    const auto end = data.find_first_of(kLineBreaks);
    append_field(out, "data", data.substr(0, end));
    if (end == std::string_view::npos) {
      return;
    }
    const bool pair = data.substr(end, 2) == kLineBreaks;
    data.remove_prefix(end + (pair ? 2 : 1));
  }
}

std::string chunk_head(std::size_t size) {
  std::array<char, 2 * sizeof(size)> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), size, 16).ptr;
  return std::string(digits.data(), end) + "\r\n";
}

Frame framed(std::string text) {
  Frame frame;
  const std::string head = chunk_head(text.size());
  frame.text_begin = static_cast<std::uint32_t>(head.size());
  frame.text_size = static_cast<std::uint32_t>(text.size());
  frame.bytes.reserve(head.size() + text.size() + 2);
  frame.bytes.append(head).append(text).append("\r\n");
  return frame;
}

FramePtr uncounted(std::string text) {
  Frame frame = framed(std::move(text));
  frame.counted = false;
  return std::make_shared<const Frame>(std::move(frame));
}

}  // namespace

Result<FramePtr> render(const Event& event) {
  if (auto good = check_name("id", event.id); !good) {
    return good;
  }
  if (auto good = check_name("event", event.event); !good) {
    return good;
  }
  if (event.data.size() > kMostFrameData) {
    return Status(Code::kInvalidArgument, "the data of a frame has " +
                                              std::to_string(event.data.size()) +
                                              " bytes; the most is 1048576");
  }
  std::string text;
  text.reserve(event.id.size() + event.event.size() + event.data.size() + 32);
  if (!event.id.empty()) {
    append_field(text, "id", event.id);
  }
  if (!event.event.empty()) {
    append_field(text, "event", event.event);
  }
  append_data(text, event.data);
  text += '\n';
  Frame frame = framed(std::move(text));
  frame.sequence = event.sequence;
  return FramePtr(std::make_shared<const Frame>(std::move(frame)));
}

FramePtr keep_alive_frame() {
  return uncounted(":keep-alive\n\n");
}

FramePtr retry_frame(std::chrono::milliseconds wait) {
  return uncounted("retry: " + std::to_string(wait.count()) + "\n\n");
}

}  // namespace plexsphere::host::http
