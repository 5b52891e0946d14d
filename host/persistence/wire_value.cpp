#include "host/persistence/wire_value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <vector>

#include "host/base/uuid.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::host::persistence {
namespace {

constexpr char kHex[] = "0123456789abcdef";

[[noreturn]] void refuse_parameter(std::string reason, const std::string& text) {
  throw StoreError(PX_INVALID_ARGUMENT, std::move(reason), text);
}

[[noreturn]] void wrong_result(px_type declared) {
  throw StoreError(PX_INTERNAL, "result_type",
                   "a cell is not readable as the declared " + wire_type_name(declared));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string bytea_text(px_bytes bytes) {
  std::string out;
  out.reserve(2 + bytes.len * 2);
  out = "\\x";
  for (std::uint64_t i = 0; i < bytes.len; ++i) {
    out.push_back(kHex[bytes.ptr[i] >> 4]);
    out.push_back(kHex[bytes.ptr[i] & 15]);
  }
  return out;
}

std::string checked_text(px_str text) {
  if (text.len > kMaxParameterBytes) {
    refuse_parameter("parameter_too_large", "a parameter has " + std::to_string(text.len) +
                                                " bytes; the limit is " +
                                                std::to_string(kMaxParameterBytes));
  }
  std::string copy = text.len == 0 ? std::string{} : std::string(text.ptr, text.len);
  if (copy.find('\0') != std::string::npos) {
    refuse_parameter("text_contains_nul", "a text parameter contains a NUL byte");
  }
  return copy;
}

std::string real_text(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end.ptr};
}

std::string scalar_text(const px_value& value) {
  switch (value.type) {
    case PX_TYPE_BOOL:
      return value.v.boolean != 0 ? "t" : "f";
    case PX_TYPE_INT64:
      return std::to_string(value.v.integer);
    case PX_TYPE_FLOAT64:
      return real_text(value.v.real);
    case PX_TYPE_TEXT:
    case PX_TYPE_JSON:
      return checked_text(value.v.text);
    case PX_TYPE_BYTES:
      if (value.v.bytes.len > kMaxParameterBytes / 2) {
        refuse_parameter("parameter_too_large", "a bytea parameter exceeds its limit");
      }
      return bytea_text(value.v.bytes);
    case PX_TYPE_UUID:
      return uuid_text(value.v.uuid);
    case PX_TYPE_TIMESTAMP:
      return timestamp_text(value.v.integer);
    default:
      refuse_parameter("parameter_type",
                       "a parameter has the unknown type " + std::to_string(value.type));
  }
}

// One array element, always quoted: the quotes cost two bytes and end every question.
void append_element(std::string& out, const std::string& text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  out.push_back('"');
}

std::string array_text(const px_array& array, px_type element) {
  std::string out = "{";
  for (std::uint64_t i = 0; i < array.count; ++i) {
    if (i > 0) {
      out.push_back(',');
    }
    const px_value& item = array.items[i];
    if (item.is_null != 0) {
      out += "NULL";
    } else if (item.type != element) {
      refuse_parameter("parameter_type", "an array element is not of the array's type");
    } else {
      append_element(out, scalar_text(item));
    }
    if (out.size() > kMaxParameterBytes) {
      refuse_parameter("parameter_too_large", "an array parameter exceeds its limit");
    }
  }
  out.push_back('}');
  return out;
}

template <typename Number>
Number parse_number(std::string_view text, px_type declared) {
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) {
    wrong_result(declared);
  }
  return value;
}

px_bytes parse_bytea(std::string_view text, Arena& arena) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) {
    wrong_result(PX_TYPE_BYTES);
  }
  const std::size_t length = text.size() / 2 - 1;
  auto* out = static_cast<std::uint8_t*>(arena.allocate(length + 1, 1));
  for (std::size_t i = 0; i < length; ++i) {
    const int high = hex_digit(text[2 + 2 * i]);
    const int low = hex_digit(text[3 + 2 * i]);
    if (high < 0 || low < 0) {
      wrong_result(PX_TYPE_BYTES);
    }
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return {out, length};
}

// "2026-01-02 03:04:05[.678901]+00[ BC]"
std::int64_t parse_timestamp(std::string_view text) {
  if (text == "infinity") {
    return kTimestampInfinity;
  }
  if (text == "-infinity") {
    return kTimestampMinusInfinity;
  }
  const auto dash = text.find('-');
  const bool shape = dash != std::string_view::npos && dash >= 4 && text.size() >= dash + 18 &&
                     text.ends_with("+00");
  if (!shape) {
    wrong_result(PX_TYPE_TIMESTAMP);
  }
  const auto field = [&](std::size_t offset) {
    return parse_number<unsigned>(text.substr(dash + offset, 2), PX_TYPE_TIMESTAMP);
  };
  using namespace std::chrono;
  const year_month_day day{year{parse_number<int>(text.substr(0, dash), PX_TYPE_TIMESTAMP)},
                           month{field(1)}, std::chrono::day{field(4)}};
  std::string_view fraction = text.substr(dash + 15, text.size() - 3 - (dash + 15));
  std::int64_t micros = 0;
  if (!fraction.empty()) {
    std::string digits{fraction.substr(1)};
    digits.resize(6, '0');
    micros = parse_number<std::int64_t>(digits, PX_TYPE_TIMESTAMP);
  }
  const std::int64_t seconds_of_day =
      std::int64_t{field(7)} * 3600 + std::int64_t{field(10)} * 60 + field(13);
  return (sys_days{day}.time_since_epoch().count() * std::int64_t{86400} + seconds_of_day) *
             1000000 +
         micros;
}

px_str copy_text(std::string_view text, Arena& arena) {
  auto* out = static_cast<char*>(arena.allocate(text.size() + 1, 1));
  std::memcpy(out, text.data(), text.size());
  return {out, text.size()};
}

px_value decode_scalar(std::string_view text, px_type declared, Arena& arena) {
  px_value value = null_value(declared);
  value.is_null = 0;
  switch (declared) {
    case PX_TYPE_BOOL:
      if (text != "t" && text != "f") {
        wrong_result(declared);
      }
      value.v.boolean = text == "t" ? 1 : 0;
      break;
    case PX_TYPE_INT64:
      value.v.integer = parse_number<std::int64_t>(text, declared);
      break;
    case PX_TYPE_FLOAT64:
      value.v.real = parse_number<double>(text, declared);
      break;
    case PX_TYPE_TEXT:
    case PX_TYPE_JSON:
      value.v.text = {text.data(), text.size()};
      break;
    case PX_TYPE_BYTES:
      value.v.bytes = parse_bytea(text, arena);
      break;
    case PX_TYPE_UUID: {
      const auto id = parse_uuid(text);
      if (!id) {
        wrong_result(declared);
      }
      std::ranges::copy(*id, std::begin(value.v.uuid.b));
      break;
    }
    case PX_TYPE_TIMESTAMP:
      value.v.integer = parse_timestamp(text);
      break;
    default:
      wrong_result(declared);
  }
  return value;
}

// Splits PostgreSQL's one-dimensional array text; see section 8.15.6.
class ArrayReader {
 public:
  ArrayReader(std::string_view text, px_type element, Arena& arena)
      : text_(text), element_(element), arena_(arena) {}

  px_array read() {
    if (const auto equals = text_.find("={"); text_.starts_with('[') && equals < text_.size()) {
      text_.remove_prefix(equals + 1);
    }
    if (text_.size() < 2 || text_.front() != '{' || text_.back() != '}') {
      wrong_result(element_ + PX_TYPE_ARRAY);
    }
    text_ = text_.substr(1, text_.size() - 2);
    while (at_ < text_.size()) {
      items_.push_back(text_[at_] == '"' ? quoted() : plain());
      if (at_ < text_.size() && text_[at_++] != ',') {
        wrong_result(element_ + PX_TYPE_ARRAY);
      }
    }
    auto* out = static_cast<px_value*>(
        arena_.allocate(sizeof(px_value) * (items_.size() + 1), alignof(px_value)));
    std::copy(items_.begin(), items_.end(), out);
    return {out, items_.size()};
  }

 private:
  px_value quoted() {
    std::string item;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      }
      if (at_ < text_.size()) {
        item.push_back(text_[at_]);
      }
    }
    ++at_;
    return decode_owned(item);
  }
  px_value plain() {
    const std::size_t end = std::min(text_.find(',', at_), text_.size());
    const std::string_view item = text_.substr(at_, end - at_);
    at_ = end;
    if (item.starts_with('{')) {
      wrong_result(element_ + PX_TYPE_ARRAY);  // more than one dimension
    }
    return item == "NULL" ? null_value(element_) : decode_owned(item);
  }
  px_value decode_owned(std::string_view item) {
    const px_str copy = copy_text(item, arena_);
    return decode_scalar({copy.ptr, copy.len}, element_, arena_);
  }

  std::string_view text_;
  px_type element_;
  Arena& arena_;
  std::size_t at_ = 0;
  std::vector<px_value> items_;
};

bool is_array(px_type type) {
  return type >= PX_TYPE_ARRAY;
}

}  // namespace

bool is_wire_type(px_type type) {
  const px_type scalar = is_array(type) ? type - PX_TYPE_ARRAY : type;
  const bool known = scalar >= PX_TYPE_BOOL && scalar <= PX_TYPE_JSON;
  const bool arrayable = scalar != PX_TYPE_FLOAT64 && scalar != PX_TYPE_JSON;
  return known && (!is_array(type) || arrayable);
}

px_value null_value(px_type declared) {
  px_value value{};
  value.type = declared;
  value.is_null = 1;
  return value;
}

std::optional<std::string> encode_parameter(const px_value& value, px_type declared) {
  if (value.is_null != 0) {
    return std::nullopt;
  }
  const bool text_as_json = value.type == PX_TYPE_TEXT && declared == PX_TYPE_JSON;
  if (value.type != declared && !text_as_json) {
    refuse_parameter("parameter_type", "a parameter is " + wire_type_name(value.type) +
                                           " but was declared " + wire_type_name(declared));
  }
  return is_array(declared) ? array_text(value.v.array, declared - PX_TYPE_ARRAY)
                            : scalar_text(value);
}

px_value decode_cell(std::string_view text, px_type declared, Arena& arena) {
  if (!is_array(declared)) {
    return decode_scalar(text, declared, arena);
  }
  px_value value = null_value(declared);
  value.is_null = 0;
  value.v.array = ArrayReader(text, declared - PX_TYPE_ARRAY, arena).read();
  return value;
}

std::string wire_type_name(px_type type) {
  static constexpr std::array<std::string_view, 9> kNames{
      "unknown", "bool", "int64", "float64", "text", "bytes", "uuid", "timestamp", "json"};
  const px_type scalar = is_array(type) ? type - PX_TYPE_ARRAY : type;
  const auto index = scalar > 0 && scalar < 9 ? static_cast<std::size_t>(scalar) : 0;
  return std::string{kNames[index]} + (is_array(type) ? "[]" : "");
}

bool type_matches(std::uint32_t oid, px_type declared) {
  // Object ids of built-in types are fixed for good (pg_type.dat); those above 10,000 are made by
  // users: enums and the like, which read and write as text.
  constexpr std::uint32_t kFirstUserOid = 10000;
  switch (declared) {
    case PX_TYPE_BOOL:
      return oid == 16;
    case PX_TYPE_INT64:
      return oid == 20 || oid == 21 || oid == 23 || oid == 26;
    case PX_TYPE_FLOAT64:
      return oid == 700 || oid == 701 || oid == 1700;
    case PX_TYPE_TEXT:
      return oid == 25 || oid == 1043 || oid == 1042 || oid == 19 || oid == 869 || oid == 650 ||
             oid == 1186 || oid == 1082 || oid == 1700 || oid == 829 || oid == 705 || oid == 18 ||
             oid >= kFirstUserOid;
    case PX_TYPE_BYTES:
      return oid == 17;
    case PX_TYPE_UUID:
      return oid == 2950;
    case PX_TYPE_TIMESTAMP:
      return oid == 1184;
    case PX_TYPE_JSON:
      return oid == 114 || oid == 3802;
    case PX_TYPE_ARRAY + PX_TYPE_BOOL:
      return oid == 1000;
    case PX_TYPE_ARRAY + PX_TYPE_INT64:
      return oid == 1016 || oid == 1007 || oid == 1005;
    case PX_TYPE_ARRAY + PX_TYPE_TEXT:
      return oid == 1009 || oid == 1015 || oid == 1041 || oid == 651 || oid >= kFirstUserOid;
    case PX_TYPE_ARRAY + PX_TYPE_BYTES:
      return oid == 1001;
    case PX_TYPE_ARRAY + PX_TYPE_UUID:
      return oid == 2951;
    case PX_TYPE_ARRAY + PX_TYPE_TIMESTAMP:
      return oid == 1185;
    default:
      return false;
  }
}

std::string uuid_text(const px_uuid& id) {
  return to_text(std::to_array(id.b));
}

std::string timestamp_text(std::int64_t microseconds) {
  if (microseconds == kTimestampInfinity) {
    return "infinity";
  }
  if (microseconds == kTimestampMinusInfinity) {
    return "-infinity";
  }
  using namespace std::chrono;
  const sys_time<std::chrono::microseconds> time{std::chrono::microseconds{microseconds}};
  const auto midnight = floor<days>(time);
  const year_month_day day{midnight};
  if (int(day.year()) < 1 || int(day.year()) > 9999) {
    refuse_parameter("time_out_of_range", "a timestamp lies outside the years 1 to 9999");
  }
  const std::int64_t rest = (time - midnight).count();
  std::array<char, 40> buffer{};
  const int length =
      std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u %02d:%02d:%02d.%06d+00",
                    int(day.year()), unsigned(day.month()), unsigned(day.day()),
                    static_cast<int>(rest / 3600000000), static_cast<int>(rest / 60000000 % 60),
                    static_cast<int>(rest / 1000000 % 60), static_cast<int>(rest % 1000000));
  return {buffer.data(), static_cast<std::size_t>(length)};
}

}  // namespace plexsphere::host::persistence
