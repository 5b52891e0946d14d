// Which server, with which token: the one place that knows the order of precedence. All functions
// throw Failure(ExitCode::invalid) that names what is wrong and the remedy. Not thread-safe
// (files).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plexsphere::plexctl {

// What the process environment says; empty is not set.
struct Environment {
  std::string server;  // PLEXSPHERE_URL
  std::string token;   // PLEXSPHERE_TOKEN
};

struct Server {
  bool tls = true;
  std::string host;  // name or address, IPv6 without brackets
  std::uint16_t port = 443;
  std::string prefix;  // path before /v1, without a trailing slash; mostly empty

  // Whether what is sent stays on this machine.
  bool is_loopback() const;
};

// An operator's token: 1 to kMaxLength visible ASCII characters. Move-only, zeroed, never printed.
class Token {
 public:
  static constexpr std::size_t kMaxLength = 4096;

  // `origin` stands for the text in the refusal.
  Token(std::string text, const std::string& origin);
  Token(Token&&) noexcept = default;
  Token& operator=(Token&&) = delete;
  ~Token();
  std::string_view reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

// `flag` wins over the environment. http://host[:port][/prefix] or https://…, without user, query
// and fragment.
Server resolve_server(const std::string& flag, const Environment& environment);

// The file `flag` names (a regular file that only its owner may read or write; one line), or else
// the environment.
Token resolve_token(const std::string& flag, const Environment& environment);

}  // namespace plexsphere::plexctl
