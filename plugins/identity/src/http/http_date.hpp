// IMF-fixdate (RFC 9110, 5.6.7), as the Sunset header takes it (RFC 8594, 3). Pure, any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "plexsphere/sdk/time.hpp"

namespace plexsphere::identity {

// "Sun, 06 Nov 1994 08:49:37 GMT"; fractions of a second are cut off. Years 1 to 9999.
inline std::string http_date(sdk::Instant instant) {
  using namespace std::chrono;
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss time(floor<seconds>(instant - day));
  char buffer[64];
  const int length = std::snprintf(
      buffer, sizeof buffer, "%s, %02u %s %04d %02d:%02d:%02d GMT",
      kDays[weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  return {buffer, static_cast<std::size_t>(length)};
}

}  // namespace plexsphere::identity
