#include "domain/record.hpp"

#include <cstdio>
#include <string_view>

namespace plexsphere::audit {
namespace {

void append_control(std::string& out, unsigned char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (c) {
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      append_control(out, byte);
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_string(out, value);
}

template <typename Items>
void append_strings(std::string& out, const Items& items) {
  out += '[';
  bool first = true;
  for (const std::string& item : items) {
    if (!first) {
      out += ',';
    }
    first = false;
    append_string(out, item);
  }
  out += ']';
}

void append_caveats(std::string& out, const std::map<std::string, std::set<std::string>>& caveats) {
  out += '{';
  bool first = true;
  for (const auto& [name, parameters] : caveats) {
    if (!first) {
      out += ',';
    }
    first = false;
    append_string(out, name);
    out += ':';
    append_strings(out, parameters);
  }
  out += '}';
}

// The last `width` decimal digits of a number that is not negative.
template <typename Number>
void put_digits(std::string& out, std::size_t at, std::size_t width, Number number) {
  for (std::size_t i = at + width; i > at; --i, number /= 10) {
    out[i - 1] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

std::string canonical_time(std::chrono::sys_time<std::chrono::microseconds> instant) {
  using namespace std::chrono;
  // Four digits. Beyond them the calendar's own years wrap, and a stored time must not read as
  // another one.
  if (instant < sys_days{year{0} / 1 / 1} || instant >= sys_days{year{10000} / 1 / 1}) {
    return "out of range";
  }
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss time(instant - day);
  std::string out = "0000-00-00T00:00:00.000000Z";
  put_digits(out, 0, 4, static_cast<int>(date.year()));
  put_digits(out, 5, 2, static_cast<unsigned>(date.month()));
  put_digits(out, 8, 2, static_cast<unsigned>(date.day()));
  put_digits(out, 11, 2, time.hours().count());
  put_digits(out, 14, 2, time.minutes().count());
  put_digits(out, 17, 2, time.seconds().count());
  put_digits(out, 20, 6, time.subseconds().count());
  return out;
}

std::string canonical_head(const std::string& chain) {
  return "{\"v\":1,\"chain\":\"" + chain + "\",\"seq\":";
}

Canonical encode(const Record& record) {
  Canonical out{canonical_head(record.chain), {}};
  out.tail.reserve(512);
  append_member(out.tail, "occurred_at", canonical_time(record.occurred_at));
  append_member(out.tail, "reason", record.reason);
  append_member(out.tail, "relation", record.relation);
  append_member(out.tail, "object_type", record.object_type);
  append_member(out.tail, "object_id", record.object_id);
  append_member(out.tail, "subject_pseudonym", record.subject_pseudonym);
  append_member(out.tail, "correlation_id", record.correlation_id);
  out.tail += ",\"relation_path\":";
  append_strings(out.tail, record.relation_path);
  out.tail += ",\"caveat_context\":";
  append_caveats(out.tail, record.caveat_context);
  if (record.request_context_hash) {
    append_member(out.tail, "request_context_hash", *record.request_context_hash);
  } else {
    out.tail += ",\"request_context_hash\":null";
  }
  out.tail += '}';
  return out;
}

}  // namespace plexsphere::audit
