#include "host/persistence/copy_reader.hpp"

#include <bit>
#include <cstring>
#include <optional>

#include "host/persistence/session.hpp"
#include "host/persistence/statement_text.hpp"
#include "host/persistence/store_error.hpp"
#include "host/persistence/wire_value.hpp"

namespace plexsphere::host::persistence {
namespace {

constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr std::int16_t kTrailer = -1;
constexpr std::int32_t kNull = -1;

template <typename Number>
Number big_endian(const char* bytes) {
  Number value;
  std::memcpy(&value, bytes, sizeof value);
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof value == 2) {
      value = static_cast<Number>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
    } else if constexpr (sizeof value == 4) {
      value = static_cast<Number>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
    } else {
      value = static_cast<Number>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
    }
  }
  return value;
}

// Of any width that SQL's integers have.
std::optional<std::int64_t> integer_of(std::string_view bytes) {
  switch (bytes.size()) {
    case 2:
      return big_endian<std::int16_t>(bytes.data());
    case 4:
      return big_endian<std::int32_t>(bytes.data());
    case 8:
      return big_endian<std::int64_t>(bytes.data());
    default:
      return std::nullopt;
  }
}

// PostgreSQL counts from 2000, the wire from 1970; the infinities are the same numbers in both. The
// last thirty years that PostgreSQL knows are beyond what the wire counts to, and infinite there.
std::int64_t since_1970(std::int64_t since_2000) {
  constexpr std::int64_t kThirtyYears = 946'684'800'000'000;
  if (since_2000 > kTimestampInfinity - kThirtyYears) {
    return kTimestampInfinity;
  }
  return since_2000 == kTimestampMinusInfinity ? since_2000 : since_2000 + kThirtyYears;
}

}  // namespace

CopyReader::CopyReader(const Statement& statement) : statement_(statement) {
  for (const px_type type : statement.results) {
    cells_.push_back(null_value(type));
  }
}

std::span<const px_value> CopyReader::read(std::string_view message) {
  left_ = message;
  if (!begun_) {
    if (take(kSignature.size()) != kSignature) {
      wrong("does not begin as a binary COPY");
    }
    take(sizeof(std::int32_t));                               // flags: none for us
    take(static_cast<std::size_t>(number<std::uint32_t>()));  // extension: skipped
    begun_ = true;
  }
  const auto count = number<std::int16_t>();
  if (count == kTrailer) {
    return {};
  }
  if (static_cast<std::size_t>(count) != cells_.size()) {
    wrong("returns " + std::to_string(count) + " columns but declares " +
          std::to_string(cells_.size()));
  }
  for (px_value& cell : cells_) {
    read_cell(cell);
  }
  if (!left_.empty()) {
    wrong("has more than a row in a message");
  }
  return cells_;
}

void CopyReader::wrong(const std::string& why) const {
  throw StoreError(PX_INTERNAL, "result_type",
                   "statement '" + statement_.context + "." + statement_.name + "' " + why);
}

std::string_view CopyReader::take(std::size_t bytes) {
  if (left_.size() < bytes) {
    wrong("has a row that is cut off");
  }
  const std::string_view taken = left_.substr(0, bytes);
  left_.remove_prefix(bytes);
  return taken;
}

template <typename Number>
Number CopyReader::number() {
  return big_endian<Number>(take(sizeof(Number)).data());
}

void CopyReader::read_cell(px_value& cell) {
  const auto length = number<std::int32_t>();
  cell.is_null = length == kNull ? 1 : 0;
  if (length == kNull) {
    return;
  }
  const std::string_view bytes = take(static_cast<std::size_t>(static_cast<std::uint32_t>(length)));
  const auto integer = integer_of(bytes);
  const auto require = [&](bool fits) {
    if (!fits) {
      wrong("has a cell of " + std::to_string(bytes.size()) + " bytes that is no " +
            wire_type_name(cell.type));
    }
  };
  switch (cell.type) {
    case PX_TYPE_BOOL:
      require(bytes.size() == 1);
      cell.v.boolean = bytes[0] != 0 ? 1 : 0;
      break;
    case PX_TYPE_INT64:
      require(integer.has_value());
      cell.v.integer = *integer;
      break;
    case PX_TYPE_TIMESTAMP:
      require(bytes.size() == sizeof(std::int64_t));
      cell.v.integer = since_1970(*integer);
      break;
    case PX_TYPE_UUID:
      require(bytes.size() == sizeof cell.v.uuid.b);
      std::memcpy(cell.v.uuid.b, bytes.data(), bytes.size());
      break;
    case PX_TYPE_TEXT:
      cell.v.text = {bytes.data(), bytes.size()};
      break;
    default:
      cell.v.bytes = {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
      break;
  }
}

bool may_be_copied(px_type declared) {
  switch (declared) {
    case PX_TYPE_BOOL:
    case PX_TYPE_INT64:
    case PX_TYPE_TEXT:
    case PX_TYPE_BYTES:
    case PX_TYPE_UUID:
    case PX_TYPE_TIMESTAMP:
      return true;
    default:
      return false;
  }
}

bool copies_as(std::uint32_t oid, px_type declared) {
  constexpr std::uint32_t kOid = 26;
  constexpr std::uint32_t kText = 25;
  constexpr std::uint32_t kVarchar = 1043;
  if (!type_matches(oid, declared)) {
    return false;
  }
  return declared == PX_TYPE_TEXT    ? oid == kText || oid == kVarchar
         : declared == PX_TYPE_INT64 ? oid != kOid  // has no sign
                                     : may_be_copied(declared);
}

std::string copy_text(std::string_view sql,
                      const std::vector<std::optional<std::string>>& parameters) {
  std::string out = "COPY (";
  std::size_t done = 0;
  for (const SqlToken& token : tokenize_sql(sql)) {
    if (token.kind == SqlTokenKind::kParameter) {
      const auto& value = parameters.at(token.number - 1);
      out += sql.substr(done, token.begin - done);
      out += value ? quote_literal(*value) : "NULL";
      done = token.begin + 1 + std::to_string(token.number).size();
    } else if (token.is(';')) {
      sql = sql.substr(0, token.begin);
      break;
    }
  }
  out += sql.substr(done);
  return out + "\n) TO STDOUT (FORMAT binary)";
}

}  // namespace plexsphere::host::persistence
