// Structured log lines: one JSON object a line, on standard error.
//
// Keys: time (RFC 3339, UTC, microseconds), level, service, event, then the line's own fields. An
// event is a stable name ("http.request"), not prose; what varies is a field. Never a secret.
//
// Lines on standard error are written in batches by a thread of the logger's own (log_sink.hpp): at
// once from level warn on, else within 50 ms, which is also what a kill -9 loses. Nothing that must
// not be lost is told here only: the audit chain is another thing. Destruction writes what is left.
//
// Thread safety: all members from any thread. Ownership: a Logger owns its sink.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace plexsphere::host::telemetry {

enum class Level { kDebug, kInfo, kWarn, kError };

// "debug", "info", "warn", "error".
const char* level_name(Level level) noexcept;
std::optional<Level> parse_level(std::string_view name) noexcept;

struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, std::int64_t v) : name(n), value(v) {}
  Field(std::string_view n, int v) : name(n), value(std::int64_t{v}) {}
  Field(std::string_view n, std::size_t v) : name(n), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
};

class Logger {
 public:
  // `service` is "plexsphere" or "plexsphere-signer". Lines below `level` are dropped.
  Logger(std::string service, Level level);
  // Writes to `out` instead of standard error; `out` must outlive the logger. For tests.
  Logger(std::string service, Level level, std::ostream& out);
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  ~Logger();

  bool enabled(Level level) const noexcept;
  void set_level(Level level) noexcept;

  // Waits until everything logged so far is written; false if that takes longer than `limit`.
  bool flush(std::chrono::milliseconds limit);

  // A field that repeats a reserved key is written with a trailing underscore; of two fields of one
  // name the last counts. Bytes that are not UTF-8 are replaced.
  void write(Level level, std::string_view event, std::span<const Field> fields);
  void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    write(level, event, std::span<const Field>(fields.begin(), fields.size()));
  }

  void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kDebug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kInfo, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kWarn, event, fields);
  }
  void error(std::string_view event, std::initializer_list<Field> fields = {}) {
    write(Level::kError, event, fields);
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::host::telemetry
