// Instants as microseconds since 1970 UTC, and their text form RFC 3339. Pure, any thread.
#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::sdk::inline v1 {

using Instant = std::chrono::sys_time<std::chrono::microseconds>;

inline Instant instant_from_us(int64_t us) {
  return Instant(std::chrono::microseconds(us));
}
inline int64_t to_us(Instant instant) {
  return instant.time_since_epoch().count();
}
inline int64_t to_ms(Instant instant) {
  return std::chrono::floor<std::chrono::milliseconds>(instant).time_since_epoch().count();
}

// "2026-01-15T10:30:00Z", or with the shortest fraction of up to six digits. Years 1 to 9999.
inline std::string rfc3339(Instant instant) {
  using namespace std::chrono;
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss time(instant - day);
  char buffer[64];
  int length = std::snprintf(
      buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%06d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  while (buffer[length - 1] == '0') {
    --length;
  }
  if (buffer[length - 1] == '.') {
    --length;
  }
  return std::string(buffer, static_cast<std::size_t>(length)) + "Z";
}

namespace detail {

// Takes `count` digits from the front of `text`, or fails.
inline std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) {
    return std::nullopt;
  }
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') {
      return std::nullopt;
    }
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

inline bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// Fraction digits after the dot as microseconds; digits past the sixth are dropped.
inline std::optional<int> take_fraction(std::string_view& text) {
  int micros = 0;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 6) {
      micros = micros * 10 + (text.front() - '0');
    }
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) {
    return std::nullopt;
  }
  for (; digits < 6; ++digits) {
    micros *= 10;
  }
  return micros;
}

// "Z" or "+hh:mm" at the end, in minutes.
inline std::optional<int> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) {
    return text.empty() ? std::optional<int>(0) : std::nullopt;
  }
  const int sign = take(text, '-') ? -1 : take(text, '+') ? 1 : 0;
  const auto hours = take_digits(text, 2);
  const bool colon = take(text, ':');
  const auto minutes = take_digits(text, 2);
  if (sign == 0 || !hours || !colon || !minutes || *hours > 23 || *minutes > 59 || !text.empty()) {
    return std::nullopt;
  }
  return sign * (*hours * 60 + *minutes);
}

}  // namespace detail

// RFC 3339 date-time with any offset; a leap second counts as the next second. Nothing if
// malformed.
inline std::optional<Instant> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  using detail::take;
  using detail::take_digits;
  const auto y = take_digits(text, 4);
  const bool dash1 = take(text, '-');
  const auto mo = take_digits(text, 2);
  const bool dash2 = take(text, '-');
  const auto d = take_digits(text, 2);
  const bool t = take(text, 'T') || take(text, 't');
  const auto h = take_digits(text, 2);
  const bool colon1 = take(text, ':');
  const auto mi = take_digits(text, 2);
  const bool colon2 = take(text, ':');
  const auto s = take_digits(text, 2);
  if (!y || !dash1 || !mo || !dash2 || !d || !t || !h || !colon1 || !mi || !colon2 || !s) {
    return std::nullopt;
  }
  const auto micros = take(text, '.') ? detail::take_fraction(text) : std::optional<int>(0);
  const auto offset = micros ? detail::take_offset(text) : std::nullopt;
  const year_month_day date(year(*y), month(static_cast<unsigned>(*mo)),
                            day(static_cast<unsigned>(*d)));
  if (!offset || !date.ok() || *h > 23 || *mi > 59 || *s > 60) {
    return std::nullopt;
  }
  return Instant(sys_days(date)) + hours(*h) + minutes(*mi) + seconds(*s) + microseconds(*micros) -
         minutes(*offset);
}

}  // namespace plexsphere::sdk::inline v1
