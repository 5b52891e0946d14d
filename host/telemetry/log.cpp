#include "host/telemetry/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

namespace plexsphere::host::telemetry {
namespace {

constexpr std::array<const char*, 4> kNames{"debug", "info", "warn", "error"};

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

std::string now_text() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count() %
      1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string fraction = std::to_string(micros);
  return std::string(text.data(), length) + "." + std::string(6 - fraction.size(), '0') + fraction +
         "Z";
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
};

Logger::Logger(std::string service, Level level)
    : impl_(std::make_unique<Impl>(std::move(service), level,
                                   std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}

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

void Logger::write(Level level, std::string_view event, std::span<const Field> fields) {
  if (!enabled(level)) {
    return;
  }
  nlohmann::ordered_json line{{"time", now_text()},
                              {"level", level_name(level)},
                              {"service", impl_->service},
                              {"event", event}};
  for (const Field& field : fields) {
    std::string name(field.name);
    if (name == "time" || name == "level" || name == "service" || name == "event") {
      name += '_';
    }
    std::visit([&](const auto& value) { line[name] = value; }, field.value);
  }
  impl_->logger.log(
      to_spdlog(level),
      spdlog::string_view_t(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

}  // namespace plexsphere::host::telemetry
