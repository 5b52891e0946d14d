// What a logger under test has written, readable while other threads go on logging.
#pragma once

#include <mutex>
#include <ostream>
#include <streambuf>
#include <string>

namespace plexsphere::test_support {

// A stream for telemetry::Logger's third argument. Written by one writer at a time, as a logger
// does; read from any thread at any time. Outlives the logger.
class LogText : public std::ostream {
 public:
  LogText() : std::ostream(nullptr) { rdbuf(&buffer_); }
  std::string text() const { return buffer_.text(); }
  bool contains(const std::string& needle) const;
  // Waits up to 10 s: a line about something that happens after an answer comes after the answer.
  [[nodiscard]] bool will_contain(const std::string& needle) const;

 private:
  class Buffer : public std::streambuf {
   public:
    std::string text() const;

   private:
    int_type overflow(int_type byte) override;
    std::streamsize xsputn(const char* bytes, std::streamsize size) override;

    mutable std::mutex mutex_;
    std::string text_;  // under mutex_
  };

  Buffer buffer_;
};

}  // namespace plexsphere::test_support
