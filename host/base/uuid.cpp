#include "host/base/uuid.hpp"

#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace plexsphere::host {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Random bytes in portions, because a system call for each id would cost more than the rest of it.
void fill_random(std::uint8_t* out, std::size_t size) {
  thread_local std::array<std::uint8_t, 256> pool;
  thread_local std::size_t left = 0;
  if (left < size) {
    if (::getrandom(pool.data(), pool.size(), 0) != static_cast<ssize_t>(pool.size())) {
      throw std::runtime_error("the kernel gave no random bytes");
    }
    left = pool.size();
  }
  std::copy_n(pool.data() + (pool.size() - left), size, out);
  left -= size;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

UuidBytes make_uuid7() {
  UuidBytes uuid{};
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  const auto milliseconds = static_cast<std::uint64_t>(now);
  for (std::size_t i = 0; i < 6; ++i) {
    uuid[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
  }
  fill_random(uuid.data() + 6, 10);
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0F) | 0x70);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3F) | 0x80);
  return uuid;
}

std::string to_text(const UuidBytes& uuid) {
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (dash_before(i)) {
      out.push_back('-');
    }
    out.push_back(kHex[uuid[i] >> 4]);
    out.push_back(kHex[uuid[i] & 0x0F]);
  }
  return out;
}

std::string make_uuid7_text() {
  return to_text(make_uuid7());
}

std::optional<UuidBytes> parse_uuid(std::string_view text) {
  if (text.size() != 36) {
    return std::nullopt;
  }
  UuidBytes uuid{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') {
      return std::nullopt;
    }
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    uuid[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return uuid;
}

bool is_nil(const UuidBytes& uuid) {
  return std::all_of(uuid.begin(), uuid.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace plexsphere::host
