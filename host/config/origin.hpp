// Where a request may go: scheme, host and port (RFC 6454), as operators and manifests write them.
//
// Thread safety: values. Ownership: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace plexsphere::host::config {

struct Origin {
  bool plaintext = false;  // http, not https
  std::string host;  // lower case; a name, an IPv4 address, or an IPv6 address without brackets
  std::uint16_t port = 0;

  bool is_v6() const { return host.find(':') != std::string::npos; }
  // "host[:port]", the port left out where it is the scheme's own; brackets around IPv6. What the
  // Host header says (RFC 9110, 7.2).
  std::string authority() const;
  // "https://host:port".
  std::string text() const;

  friend bool operator==(const Origin&, const Origin&) = default;
};

// "https://host", "https://host:port", "http://[::1]:8333". Nothing for any other text: a path, a
// slash at the end, user information, an unknown scheme, port 0, a label that is no host name's
// (RFC 1123), or a name that ends in a number without being an IPv4 address of four parts.
std::optional<Origin> parse_origin(std::string_view text);

}  // namespace plexsphere::host::config
