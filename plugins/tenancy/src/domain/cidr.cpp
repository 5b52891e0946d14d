#include "domain/cidr.hpp"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace plexsphere::tenancy {
namespace {

using Address = std::array<std::uint8_t, 16>;

// Decimal without sign, leading zero or more than three digits.
std::optional<int> decimal(std::string_view text, int most) {
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
  return value <= most ? std::optional(value) : std::nullopt;
}

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

std::optional<Address> parse_v4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) {
    return std::nullopt;
  }
  Address address{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto octet = decimal(parts[i], 255);
    if (!octet) {
      return std::nullopt;
    }
    address[i] = static_cast<std::uint8_t>(*octet);
  }
  return address;
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

// Groups of one side of "::"; empty text has none.
std::optional<std::vector<int>> parse_groups(std::string_view text) {
  std::vector<int> groups;
  if (text.empty()) {
    return groups;
  }
  for (const std::string_view part : split(text, ':')) {
    int value = 0;
    for (const char c : part) {
      const int digit = hex_digit(c);
      if (digit < 0) {
        return std::nullopt;
      }
      value = value * 16 + digit;
    }
    if (part.empty() || part.size() > 4) {
      return std::nullopt;
    }
    groups.push_back(value);
  }
  return groups;
}

std::optional<Address> parse_v6(std::string_view text) {
  if (text.size() > 45) {
    return std::nullopt;
  }
  const std::size_t gap = text.find("::");
  const bool compressed = gap != std::string_view::npos;
  const auto head = parse_groups(text.substr(0, gap));
  const auto tail = parse_groups(compressed ? text.substr(gap + 2) : std::string_view{});
  if (!head || !tail) {
    return std::nullopt;
  }
  const std::size_t written = head->size() + tail->size();
  if (compressed ? written > 7 : written != 8) {
    return std::nullopt;
  }
  Address address{};
  const auto put = [&](std::size_t group, int value) {
    address[group * 2] = static_cast<std::uint8_t>(value >> 8);
    address[group * 2 + 1] = static_cast<std::uint8_t>(value & 0xFF);
  };
  for (std::size_t i = 0; i < head->size(); ++i) {
    put(i, (*head)[i]);
  }
  for (std::size_t i = 0; i < tail->size(); ++i) {
    put(8 - tail->size() + i, (*tail)[i]);
  }
  return address;
}

bool bit(const Address& address, int at) {
  return (address[static_cast<std::size_t>(at / 8)] & (0x80U >> (at % 8))) != 0;
}

bool has_host_bits(const Address& address, int length) {
  for (int at = length; at < 128; ++at) {
    if (bit(address, at)) {
      return true;
    }
  }
  return false;
}

bool spells_ipv4(const Address& address, int length) {
  const bool ten_zeros =
      std::all_of(address.begin(), address.begin() + 10, [](std::uint8_t b) { return b == 0; });
  const bool mapped = address[10] == 0xFF && address[11] == 0xFF;
  const bool compatible = address[10] == 0 && address[11] == 0;
  return length >= 96 && ten_zeros && (mapped || compatible);
}

std::string text_v6(const Address& address) {
  std::array<int, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) {
    groups[i] = address[i * 2] * 256 + address[i * 2 + 1];
  }
  // The first longest run of at least two zero groups is written "::".
  std::size_t gap = 8;
  std::size_t gap_size = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t size = 0;
    while (i + size < 8 && groups[i + size] == 0) {
      ++size;
    }
    if (size > gap_size) {
      gap = i;
      gap_size = size;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8;) {
    if (i == gap) {
      out += "::";
      i += gap_size;
      continue;
    }
    char buffer[8];
    std::snprintf(buffer, sizeof buffer, "%x", static_cast<unsigned>(groups[i]));
    out += (out.empty() || out.ends_with("::") ? "" : ":") + std::string(buffer);
    ++i;
  }
  return out;
}

}  // namespace

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.size() > 49) {
    return std::nullopt;
  }
  const std::string_view host = text.substr(0, slash);
  Cidr out;
  out.v6_ = host.find(':') != std::string_view::npos;
  const auto address = out.v6_ ? parse_v6(host) : parse_v4(host);
  const auto length = decimal(text.substr(slash + 1), out.v6_ ? 128 : 32);
  if (!address || !length || has_host_bits(*address, *length) ||
      (out.v6_ && spells_ipv4(*address, *length))) {
    return std::nullopt;
  }
  out.address_ = *address;
  out.length_ = *length;
  return out;
}

std::string Cidr::text() const {
  std::string host;
  if (v6_) {
    host = text_v6(address_);
  } else {
    for (std::size_t i = 0; i < 4; ++i) {
      host += (i == 0 ? "" : ".") + std::to_string(address_[i]);
    }
  }
  return host + "/" + std::to_string(length_);
}

bool Cidr::contains(const Cidr& other) const {
  if (v6_ != other.v6_ || length_ > other.length_) {
    return false;
  }
  for (int at = 0; at < length_; ++at) {
    if (bit(address_, at) != bit(other.address_, at)) {
      return false;
    }
  }
  return true;
}

}  // namespace plexsphere::tenancy
