#include "sim/chunks.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace plexsphere::sim {

namespace {

constexpr std::size_t kLongestLine = 256;

[[noreturn]] void refuse(std::string_view what) {
  throw std::runtime_error("no chunk of a body: " + std::string(what));
}

}  // namespace

std::string ChunkDecoder::feed(std::string_view bytes) {
  std::string body;
  while (!bytes.empty() && !ended()) {
    if (step_ == Step::kData) {
      const std::size_t size = std::min(left_, bytes.size());
      body.append(bytes.substr(0, size));
      bytes.remove_prefix(size);
      left_ -= size;
      step_ = left_ == 0 ? Step::kDataEnd : Step::kData;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    line_.push_back(c);
    if (line_.size() > kLongestLine) {
      refuse(line_);
    }
    if (!line_.ends_with("\r\n")) {
      continue;
    }
    line_.resize(line_.size() - 2);
    take_line(line_);
    line_.clear();
  }
  return body;
}

void ChunkDecoder::take_line(std::string_view line) {
  if (step_ == Step::kDataEnd) {
    if (!line.empty()) {
      refuse(line);
    }
    step_ = Step::kSize;
    return;
  }
  const std::string_view digits = line.substr(0, line.find(';'));
  const char* end = digits.data() + digits.size();
  if (digits.empty() || std::from_chars(digits.data(), end, left_, 16).ptr != end) {
    refuse(line);
  }
  step_ = left_ == 0 ? Step::kEnded : Step::kData;
}

}  // namespace plexsphere::sim
