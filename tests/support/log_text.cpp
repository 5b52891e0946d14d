#include "log_text.hpp"

#include <chrono>

#include "wait_until.hpp"

namespace plexsphere::test_support {

bool LogText::contains(const std::string& needle) const {
  return text().find(needle) != std::string::npos;
}

bool LogText::will_contain(const std::string& needle) const {
  return wait_until(std::chrono::seconds(10), [&] { return contains(needle); });
}

std::string LogText::Buffer::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

LogText::Buffer::int_type LogText::Buffer::overflow(int_type byte) {
  if (traits_type::eq_int_type(byte, traits_type::eof())) {
    return traits_type::not_eof(byte);
  }
  const std::lock_guard lock(mutex_);
  text_.push_back(traits_type::to_char_type(byte));
  return byte;
}

std::streamsize LogText::Buffer::xsputn(const char* bytes, std::streamsize size) {
  const std::lock_guard lock(mutex_);
  text_.append(bytes, static_cast<std::size_t>(size));
  return size;
}

}  // namespace plexsphere::test_support
