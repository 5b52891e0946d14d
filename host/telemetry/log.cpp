#include "host/telemetry/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>

#include "host/base/json_text.hpp"
#include "host/telemetry/log_sink.hpp"

namespace plexsphere::host::telemetry {
namespace {

constexpr std::array<const char*, 4> kNames{"debug", "info", "warn", "error"};
constexpr std::size_t kKeptCapacity = 16 * 1024;  // bytes a thread keeps for its next line

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// "2026-01-31T12:00:00.123456Z". The part up to the second is made once a second and thread.
void append_now(std::string& out) {
  thread_local std::time_t made_for = -1;
  thread_local std::array<char, 32> prefix{};
  thread_local std::size_t length = 0;
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  const auto second = static_cast<std::time_t>(since / 1'000'000);
  if (second != made_for) {
    std::tm parts{};
    ::gmtime_r(&second, &parts);
    length = std::strftime(prefix.data(), prefix.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
    made_for = second;
  }
  out.append(prefix.data(), length);
  std::array<char, 7> fraction{'0', '0', '0', '0', '0', '0', 'Z'};
  auto rest = since % 1'000'000;
  for (std::size_t i = 6; i-- > 0; rest /= 10) {
    fraction[i] = static_cast<char>('0' + rest % 10);
  }
  out.append(fraction.data(), fraction.size());
}

bool is_reserved(std::string_view name) {
  return name == "time" || name == "level" || name == "service" || name == "event";
}

// Whether two fields end up under one key.
bool same_key(std::string_view a, std::string_view b) {
  const auto is_other_with_dash = [](std::string_view longer, std::string_view shorter) {
    return longer.size() == shorter.size() + 1 && longer.back() == '_' &&
           longer.starts_with(shorter) && is_reserved(shorter);
  };
  return a == b || is_other_with_dash(a, b) || is_other_with_dash(b, a);
}

bool is_repeated_later(std::span<const Field> fields, std::size_t at) {
  for (std::size_t i = at + 1; i < fields.size(); ++i) {
    if (same_key(fields[i].name, fields[at].name)) {
      return true;
    }
  }
  return false;
}

void append_value(std::string& out, const Field& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    append_json_string(out, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    append_json_number(out, *integer);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    append_json_number(out, *real);
  } else {
    out.append(std::get<bool>(field.value) ? "true" : "false");
  }
}

void append_line(std::string& out, Level level, std::string_view service, std::string_view event,
                 std::span<const Field> fields) {
  out.append(R"({"time":")");
  append_now(out);
  out.append(R"(","level":")").append(level_name(level)).append(R"(","service":)");
  append_json_string(out, service);
  out.append(R"(,"event":)");
  append_json_string(out, event);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (is_repeated_later(fields, i)) {
      continue;
    }
    out.push_back(',');
    append_json_string(out, fields[i].name);
    if (is_reserved(fields[i].name)) {
      out.insert(out.size() - 1, 1, '_');
    }
    out.push_back(':');
    append_value(out, fields[i]);
  }
  out.push_back('}');
}

}  // namespace

const char* level_name(Level level) noexcept {
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) {
      return static_cast<Level>(i);
    }
  }
  return std::nullopt;
}

// A logger of its own instead of spdlog's registry: that one is shared by everything in the
// process, and a plugin that linked spdlog could switch it off.
struct Logger::Impl {
  Impl(std::string name, Level level, spdlog::sink_ptr sink)
      : service(std::move(name)), logger("", std::move(sink)) {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    logger.set_level(to_spdlog(level));
    logger.set_error_handler([](const std::string&) {});  // nowhere left to say it
  }

  std::string service;
  spdlog::logger logger;
  std::shared_ptr<BatchingSink> batching;  // shared with `logger`; null when writing to a stream
};

Logger::Logger(std::string service, Level level) {
  auto sink = std::make_shared<BatchingSink>(STDERR_FILENO, [service](std::uint64_t count) {
    std::string line;
    const Field field("count", static_cast<std::int64_t>(count));
    append_line(line, Level::kWarn, service, "log.lines_dropped", {&field, 1});
    return line;
  });
  impl_ = std::make_unique<Impl>(std::move(service), level, sink);
  impl_->batching = std::move(sink);
}

Logger::Logger(std::string service, Level level, std::ostream& out)
    : impl_(std::make_unique<Impl>(std::move(service), level,
                                   std::make_shared<spdlog::sinks::ostream_sink_mt>(out, true))) {}

Logger::~Logger() = default;

bool Logger::enabled(Level level) const noexcept {
  return impl_->logger.should_log(to_spdlog(level));
}

void Logger::set_level(Level level) noexcept {
  impl_->logger.set_level(to_spdlog(level));
}

bool Logger::flush(std::chrono::milliseconds limit) {
  return impl_->batching == nullptr || impl_->batching->flush_within(limit);
}

void Logger::write(Level level, std::string_view event, std::span<const Field> fields) {
  if (!enabled(level)) {
    return;
  }
  thread_local std::string line;
  line.clear();
  append_line(line, level, impl_->service, event, fields);
  impl_->logger.log(to_spdlog(level), spdlog::string_view_t(line));
  if (line.capacity() > kKeptCapacity) {
    std::string().swap(line);
  }
}

}  // namespace plexsphere::host::telemetry
