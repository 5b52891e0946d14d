#include "host/persistence/packed_parameter.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "host/persistence/store_error.hpp"
#include "host/persistence/wire_value.hpp"

namespace plexsphere::host::persistence {
namespace {

[[noreturn]] void refuse(std::string reason, const std::string& text) {
  throw StoreError(PX_INVALID_ARGUMENT, std::move(reason), text);
}

bool travels_binary(px_type scalar) {
  return scalar == PX_TYPE_BYTES || scalar == PX_TYPE_UUID;
}

std::string_view raw_bytes(const px_value& value) {
  if (value.type == PX_TYPE_UUID) {
    return {reinterpret_cast<const char*>(value.v.uuid.b), sizeof value.v.uuid.b};
  }
  return {reinterpret_cast<const char*>(value.v.bytes.ptr), value.v.bytes.len};
}

void append_int32(std::string& out, std::size_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(number >> shift & 0xFF));
  }
}

// As array_recv of PostgreSQL 15 reads it: dimensions, flag of nulls, element type, then of the one
// dimension length and lower bound, then each element after its length.
std::string array_bytes(const px_array& array, px_type element) {
  constexpr std::size_t kBytea = 17;
  constexpr std::size_t kUuid = 2950;
  constexpr std::size_t kNull = 0xFFFFFFFF;
  std::string out;
  append_int32(out, array.count == 0 ? 0 : 1);
  append_int32(out, 1);
  append_int32(out, element == PX_TYPE_UUID ? kUuid : kBytea);
  if (array.count > 0) {
    append_int32(out, array.count);
    append_int32(out, 1);
  }
  for (std::uint64_t i = 0; i < array.count; ++i) {
    const px_value& item = array.items[i];
    if (item.is_null != 0) {
      append_int32(out, kNull);
    } else if (item.type != element) {
      refuse("parameter_type", "an array element is not of the array's type");
    } else {
      const std::string_view bytes = raw_bytes(item);
      append_int32(out, bytes.size());
      out += bytes;
    }
    if (out.size() > kMaxParameterBytes) {
      refuse("parameter_too_large", "an array parameter exceeds its limit");
    }
  }
  return out;
}

}  // namespace

std::optional<PackedParameter> pack_parameter(const px_value& value, px_type declared) {
  const bool is_array = declared >= PX_TYPE_ARRAY;
  const px_type scalar = is_array ? declared - PX_TYPE_ARRAY : declared;
  if (value.is_null != 0 || value.type != declared || !travels_binary(scalar)) {
    auto text = encode_parameter(value, declared);
    return text ? std::optional(PackedParameter{std::move(*text), false}) : std::nullopt;
  }
  if (is_array) {
    return PackedParameter{array_bytes(value.v.array, scalar), true};
  }
  if (raw_bytes(value).size() > kMaxParameterBytes) {
    refuse("parameter_too_large", "a bytea parameter exceeds its limit");
  }
  return PackedParameter{std::string(raw_bytes(value)), true};
}

}  // namespace plexsphere::host::persistence
