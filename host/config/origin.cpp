#include "host/config/origin.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace plexsphere::host::config {
namespace {

constexpr std::string_view kSecure = "https://";
constexpr std::string_view kPlain = "http://";
constexpr std::size_t kLongestName = 253;  // RFC 1035, 2.3.4, without the dot of the root
constexpr std::size_t kLongestLabel = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-';
         });
}

// Resolvers read numbers such as 0x7f.1 as addresses: what ends in a number is an address of four
// parts or refused, so that a host is called one thing only.
bool ends_in_number(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return std::all_of(last.begin(), last.end(), is_digit) || last.starts_with("0x");
}

bool is_v4(const std::string& text) {
  in_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1;
}

// In its one shortest form (RFC 5952), or empty for what is no address.
std::string as_v6(const std::string& text) {
  in6_addr address{};
  char shortest[INET6_ADDRSTRLEN] = {};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1 ||
      ::inet_ntop(AF_INET6, &address, shortest, sizeof shortest) == nullptr) {
    return {};
  }
  return shortest;
}

bool is_host(const std::string& name) {
  if (name.empty() || name.size() > kLongestName) {
    return false;
  }
  if (ends_in_number(name)) {
    return is_v4(name);
  }
  std::string_view rest = name;
  while (true) {
    const auto dot = rest.find('.');
    if (!is_label(rest.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    rest.remove_prefix(dot + 1);
  }
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    return std::nullopt;
  }
  return port;
}

std::uint16_t default_port(bool plaintext) {
  return plaintext ? 80 : 443;
}

}  // namespace

std::string Origin::authority() const {
  std::string out = is_v6() ? "[" + host + "]" : host;
  if (port != default_port(plaintext)) {
    out += ":" + std::to_string(port);
  }
  return out;
}

std::string Origin::text() const {
  return std::string(plaintext ? kPlain : kSecure) + (is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

std::optional<Origin> parse_origin(std::string_view text) {
  Origin out;
  out.plaintext = text.starts_with(kPlain);
  if (!out.plaintext && !text.starts_with(kSecure)) {
    return std::nullopt;
  }
  text.remove_prefix(out.plaintext ? kPlain.size() : kSecure.size());
  const bool bracketed = text.starts_with('[');
  const auto end = bracketed ? text.find(']') : text.find(':');
  if (bracketed && end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view name = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  std::transform(name.begin(), name.end(), std::back_inserter(out.host), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (bracketed) {
    out.host = as_v6(out.host);
  }
  if (bracketed ? out.host.empty() : !is_host(out.host)) {
    return std::nullopt;
  }
  std::string_view rest =
      end == std::string_view::npos ? "" : text.substr(end + (bracketed ? 1 : 0));
  out.port = default_port(out.plaintext);
  if (!rest.empty()) {
    const auto port = rest.front() == ':' ? port_of(rest.substr(1)) : std::nullopt;
    if (!port) {
      return std::nullopt;
    }
    out.port = *port;
  }
  return out;
}

}  // namespace plexsphere::host::config
