#include "host/apps/plexctl/settings.hpp"

#include <Poco/Exception.h>
#include <Poco/URI.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "host/apps/plexctl/failure.hpp"
#include "host/base/file.hpp"
#include "plexsphere/sdk/secret.hpp"

namespace plexsphere::plexctl {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw Failure(ExitCode::invalid, text);
}

Poco::URI parse_url(const std::string& text) {
  try {
    return Poco::URI(text);
  } catch (const Poco::Exception&) {
    // The text is not shown: it may carry a password.
    refuse("the server given is not a URL: write https://host[:port]");
  }
}

// Opened first and looked at afterwards, so that what was checked is what is read.
host::FileDescriptor open_private(const std::string& path) {
  // Non-blocking, or a pipe of that name would keep us waiting.
  host::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!file || ::fstat(file.get(), &facts) != 0) {
    refuse("the token file '" + path + "' cannot be read: " + host::error_text(errno));
  }
  if (!S_ISREG(facts.st_mode)) {
    refuse("the token file '" + path +
           "' is not a regular file: put the token into one, mode 0600");
  }
  if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    refuse("the token file '" + path + "' is open to other users: run  chmod 600 '" + path +
           "'  and, if others may have read it, replace the token");
  }
  return file;
}

std::string read_token_file(const std::string& path) {
  const host::FileDescriptor file = open_private(path);
  std::array<char, Token::kMaxLength + 2> buffer;
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      refuse("the token file '" + path + "' cannot be read: " + host::error_text(errno));
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  std::string text(buffer.data(), size);
  sdk::zero(buffer.data(), buffer.size());
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

}  // namespace

bool Server::is_loopback() const {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Token::Token(std::string text, const std::string& origin) : text_(std::move(text)) {
  const bool visible = std::ranges::all_of(text_, [](char c) { return c > ' ' && c <= '~'; });
  if (text_.empty() || text_.size() > kMaxLength || !visible) {
    sdk::zero(text_);
    refuse(origin + " does not hold a token: it must be one line of 1 to " +
           std::to_string(kMaxLength) + " visible ASCII characters");
  }
}

Token::~Token() {
  sdk::zero(text_);
}

Server resolve_server(const std::string& flag, const Environment& environment) {
  const std::string& text = flag.empty() ? environment.server : flag;
  if (text.empty()) {
    refuse("no server: give --server https://host[:port] or set PLEXSPHERE_URL");
  }
  const Poco::URI url = parse_url(text);
  if (!url.getUserInfo().empty()) {
    refuse("the server's URL carries a user: tokens come from --token-file or PLEXSPHERE_TOKEN");
  }
  const bool tls = url.getScheme() == "https";
  if ((!tls && url.getScheme() != "http") || url.getHost().empty() || url.getPort() == 0) {
    refuse("the server '" + text + "' is not one: write https://host[:port]");
  }
  if (!url.getRawQuery().empty() || !url.getFragment().empty()) {
    refuse("the server '" + text + "' has a query or a fragment: write https://host[:port]");
  }
  Server server{tls, url.getHost(), url.getPort(), url.getPathEtc()};
  server.prefix.erase(server.prefix.find_last_not_of('/') + 1);
  return server;
}

Token resolve_token(const std::string& flag, const Environment& environment) {
  if (!flag.empty()) {
    return {read_token_file(flag), "the token file '" + flag + "'"};
  }
  if (environment.token.empty()) {
    refuse("no token: give --token-file or set PLEXSPHERE_TOKEN");
  }
  return {environment.token, "PLEXSPHERE_TOKEN"};
}

}  // namespace plexsphere::plexctl
