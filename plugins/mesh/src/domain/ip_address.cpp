#include "domain/ip_address.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace plexsphere::mesh {
namespace {

constexpr std::size_t kLongest = 45;  // "ffff:…:255.255.255.255"

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(at, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) {
      return parts;
    }
    begin = end + 1;
  }
}

std::optional<int> octet(std::string_view text) {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0')) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    value = value * 10 + (c - '0');
  }
  return value <= 255 ? std::optional(value) : std::nullopt;
}

std::optional<std::array<int, 4>> octets(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) {
    return std::nullopt;
  }
  std::array<int, 4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = octet(parts[i]);
    if (!value) {
      return std::nullopt;
    }
    out[i] = *value;
  }
  return out;
}

std::optional<int> group(std::string_view text) {
  if (text.empty() || text.size() > 4) {
    return std::nullopt;
  }
  int value = 0;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower >= '0' && lower <= '9') {
      value = value * 16 + (lower - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + (lower - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

// Groups of one side of "::". Only the end of an address may be dotted.
std::optional<std::vector<int>> groups(std::string_view text, bool at_end) {
  std::vector<int> out;
  if (text.empty()) {
    return out;
  }
  auto parts = split(text, ':');
  std::optional<std::array<int, 4>> dotted;
  if (at_end && parts.back().find('.') != std::string_view::npos) {
    dotted = octets(parts.back());
    if (!dotted) {
      return std::nullopt;
    }
    parts.pop_back();
  }
  for (const auto part : parts) {
    const auto value = group(part);
    if (!value) {
      return std::nullopt;
    }
    out.push_back(*value);
  }
  if (dotted) {
    out.push_back((*dotted)[0] * 256 + (*dotted)[1]);
    out.push_back((*dotted)[2] * 256 + (*dotted)[3]);
  }
  return out;
}

// The longest run of two or more zero groups, the first of equals: its begin and length.
std::pair<std::size_t, std::size_t> longest_gap(const std::array<int, 8>& all) {
  std::pair<std::size_t, std::size_t> best{8, 0};
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && all[end] == 0) {
      ++end;
    }
    if (end - i >= 2 && end - i > best.second) {
      best = {i, end - i};
    }
    i = end + 1;
  }
  return best;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse_v4(std::string_view text) {
  const auto four = octets(text);
  if (!four) {
    return std::nullopt;
  }
  IpAddress out;
  out.bytes_[10] = out.bytes_[11] = 0xFF;
  std::transform(four->begin(), four->end(), out.bytes_.begin() + 12,
                 [](int value) { return static_cast<std::uint8_t>(value); });
  return out;
}

std::optional<IpAddress> IpAddress::parse_v6(std::string_view text) {
  if (text.size() > kLongest) {
    return std::nullopt;
  }
  const std::size_t gap = text.find("::");
  const bool compressed = gap != std::string_view::npos;
  const auto head = groups(text.substr(0, gap), !compressed);
  const auto tail = groups(compressed ? text.substr(gap + 2) : std::string_view{}, true);
  if (!head || !tail) {
    return std::nullopt;
  }
  const std::size_t written = head->size() + tail->size();
  if (compressed ? written > 7 : written != 8) {
    return std::nullopt;
  }
  IpAddress out;
  const auto put = [&](std::size_t at, int value) {
    out.bytes_[at * 2] = static_cast<std::uint8_t>(value / 256);
    out.bytes_[at * 2 + 1] = static_cast<std::uint8_t>(value % 256);
  };
  for (std::size_t i = 0; i < head->size(); ++i) {
    put(i, (*head)[i]);
  }
  for (std::size_t i = 0; i < tail->size(); ++i) {
    put(8 - tail->size() + i, (*tail)[i]);
  }
  return out;
}

bool IpAddress::is_v4() const {
  return bytes_[10] == 0xFF && bytes_[11] == 0xFF &&
         std::all_of(bytes_.begin(), bytes_.begin() + 10, [](auto b) { return b == 0; });
}

bool IpAddress::is_reachable_from_elsewhere() const {
  if (is_v4()) {
    const int first = bytes_[12];
    const bool this_host = first == 0 || first == 127;
    const bool link_local = first == 169 && bytes_[13] == 254;
    return !this_host && !link_local && first < 224;  // from 224.0.0.0 on: multicast, reserved
  }
  // ::/96 holds the unspecified address, loopback and the IPv4-compatible ones nobody routes.
  const bool low = std::all_of(bytes_.begin(), bytes_.begin() + 12, [](auto b) { return b == 0; });
  const bool link_local = bytes_[0] == 0xFE && (bytes_[1] & 0xC0) == 0x80;
  return !low && !link_local && bytes_[0] != 0xFF;
}

std::string IpAddress::text() const {
  char part[16];
  if (is_v4()) {
    std::snprintf(part, sizeof part, "%d.%d.%d.%d", bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
    return part;
  }
  std::array<int, 8> all{};
  for (std::size_t i = 0; i < 8; ++i) {
    all[i] = bytes_[i * 2] * 256 + bytes_[i * 2 + 1];
  }
  const auto [gap, length] = longest_gap(all);
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      out += "::";
      i += length - 1;
      continue;
    }
    std::snprintf(part, sizeof part, "%x", static_cast<unsigned>(all[i]));
    out += (out.empty() || out.ends_with(':') ? "" : ":") + std::string(part);
  }
  return out;
}

}  // namespace plexsphere::mesh
