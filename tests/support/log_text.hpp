// What a logger under test has written, readable while other threads go on logging.
#pragma once

#include <mutex>
#include <ostream>
#include <streambuf>
#include <string>

namespace plexsphere::test_support {

// A stream for telemetry::Logger's third argument. Written by one writer at a time, as a logger
// does; text() from any thread at any time. Outlives the logger.
class LogText : private std::streambuf, public std::ostream {
 public:
  LogText();
  std::string text() const;
  bool contains(const std::string& needle) const;
  // Waits up to 10 s: a line about something that happens after an answer comes after the answer.
  [[nodiscard]] bool will_contain(const std::string& needle) const;

 private:
  int_type overflow(int_type byte) override;
  std::streamsize xsputn(const char* bytes, std::streamsize size) override;

  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace plexsphere::test_support
