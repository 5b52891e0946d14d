#include "host/apps/runtime/socket_activation.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "host/base/file.hpp"

namespace plexsphere::host::apps {
namespace {

constexpr int kFirst = 3;   // SD_LISTEN_FDS_START
constexpr int kMost = 256;  // sockets; more are a mistake

// The variable's value, taken out of the environment.
std::optional<std::string> take(const char* name) {
  const char* value = std::getenv(name);
  std::optional<std::string> out;
  if (value != nullptr) {
    out = value;
  }
  ::unsetenv(name);
  return out;
}

std::optional<int> number(const std::string& text) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end ? std::optional(value) : std::nullopt;
}

// The parts between colons; "a::b" has three.
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == ':') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

int option(int descriptor, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

Status check(const InheritedSocket& socket) {
  const std::string which =
      "inherited descriptor " + std::to_string(socket.descriptor) + " ('" + socket.name + "')";
  if (option(socket.descriptor, SO_TYPE) != SOCK_STREAM ||
      option(socket.descriptor, SO_ACCEPTCONN) != 1) {
    return {Code::kInvalidArgument,
            which + " is no listening stream socket: use ListenStream= with Accept=no"};
  }
  if (::fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC) != 0) {
    return {Code::kInternal, which + " cannot be kept: " + error_text(errno)};
  }
  return {};
}

}  // namespace

Result<std::vector<InheritedSocket>> take_inherited_sockets() {
  const auto count_text = take("LISTEN_FDS");
  const auto pid_text = take("LISTEN_PID");
  const auto names_text = take("LISTEN_FDNAMES");
  std::vector<InheritedSocket> out;
  if (!count_text || !pid_text || number(*pid_text) != ::getpid()) {
    return out;
  }
  const auto count = number(*count_text);
  if (!count || *count < 0 || *count > kMost) {
    return {Code::kInvalidArgument, "LISTEN_FDS is '" + *count_text + "', not a number up to 256"};
  }
  const auto names = names_text ? split(*names_text) : std::vector<std::string>{};
  if (names_text && names.size() != static_cast<std::size_t>(*count)) {
    return {Code::kInvalidArgument, "LISTEN_FDNAMES '" + *names_text + "' does not name " +
                                        *count_text + " sockets, as LISTEN_FDS says"};
  }
  for (int i = 0; i < *count; ++i) {
    InheritedSocket socket{kFirst + i, names_text ? names[static_cast<std::size_t>(i)] : ""};
    if (auto status = check(socket); !status) {
      return status;
    }
    out.push_back(std::move(socket));
  }
  return out;
}

}  // namespace plexsphere::host::apps
