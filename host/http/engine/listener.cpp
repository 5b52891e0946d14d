#include "host/http/engine/listener.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace plexsphere::host::http::engine {
namespace {

namespace net = Poco::Net;

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kTls = "tls:";
constexpr int kBacklog = 4096;

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Never SO_REUSEPORT, which Poco's shorter overloads set: a second process would silently share the
// port instead of being told that it is taken.
net::ServerSocket bind_tcp(const std::string& address) {
  net::ServerSocket socket;
  if (!address.empty() && address.front() == ':') {
    const auto port = static_cast<Poco::UInt16>(std::stoul(address.substr(1)));
    try {
      socket.bind6(port, true, false, false);  // both families
    } catch (const Poco::Exception&) {
      socket = net::ServerSocket();
      socket.bind(net::SocketAddress("0.0.0.0", port), true, false);
    }
    return socket;
  }
  const net::SocketAddress parsed(address);
  if (parsed.family() == net::SocketAddress::IPv6) {
    socket.bind6(parsed, true, false, true);
  } else {
    socket.bind(parsed, true, false);
  }
  return socket;
}

// A socket file left behind by a process that died refuses connections; only such a one is removed.
void remove_stale_socket(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) {
    return;
  }
  try {
    net::StreamSocket probe(net::SocketAddress(net::SocketAddress::UNIX_LOCAL, path));
  } catch (const Poco::Exception&) {
    ::unlink(path.c_str());
  }
}

net::ServerSocket bind_unix(const std::string& path) {
  remove_stale_socket(path);
  net::ServerSocket socket;
  socket.bind(net::SocketAddress(net::SocketAddress::UNIX_LOCAL, path), false, false);
  ::chmod(path.c_str(), 0660);
  return socket;
}

std::string bound_address(int descriptor) {
  sockaddr_storage storage{};
  socklen_t length = sizeof(storage);
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return {};
  }
  const net::SocketAddress address(reinterpret_cast<const sockaddr*>(&storage), length);
  return address.family() == net::SocketAddress::UNIX_LOCAL
             ? std::string(kUnix) + address.toString()
             : address.toString();
}

// An IPv4 client of a listener for both families is the IPv4 address it is.
std::string text_of(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      ::inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
  }
  return text.data();
}

}  // namespace

Listener::Listener(FileDescriptor descriptor, bool tls, std::string address, std::string owned_path)
    : descriptor_(std::move(descriptor)),
      tls_(tls),
      address_(std::move(address)),
      owned_path_(std::move(owned_path)) {}

Listener::Listener(Listener&& other) noexcept
    : descriptor_(std::move(other.descriptor_)),
      tls_(other.tls_),
      address_(std::move(other.address_)),
      owned_path_(std::exchange(other.owned_path_, {})) {}

Listener::~Listener() {
  if (!owned_path_.empty()) {
    ::unlink(owned_path_.c_str());
  }
}

Result<Listener> Listener::open(const std::string& address) {
  const bool tls = begins_with(address, kTls);
  const std::string rest = tls ? address.substr(kTls.size()) : address;
  try {
    const bool local = begins_with(rest, kUnix);
    const std::string path = local ? rest.substr(kUnix.size()) : "";
    net::ServerSocket socket = local ? bind_unix(path) : bind_tcp(rest);
    socket.listen(kBacklog);
    socket.setBlocking(false);
    FileDescriptor own(::fcntl(socket.impl()->sockfd(), F_DUPFD_CLOEXEC, 0));
    const std::string bound = (tls ? std::string(kTls) : "") + bound_address(own.get());
    return Listener(std::move(own), tls, local ? address : bound, path);
  } catch (const Poco::Exception& error) {
    return Status(Code::kUnavailable, "cannot listen on '" + address + "': " + error.displayText());
  } catch (const std::exception&) {
    return Status(Code::kInvalidArgument, "cannot listen on '" + address +
                                              "': write host:port, :port, [v6]:port, unix:/path, "
                                              "or tls: before one of the first three");
  }
}

Result<Listener> Listener::adopt(int descriptor, bool tls) {
  FileDescriptor own(descriptor);
  int listening = 0;
  socklen_t size = sizeof(listening);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
      listening == 0) {
    return Status(Code::kInvalidArgument, "descriptor " + std::to_string(descriptor) +
                                              " was passed to us but is no listening socket");
  }
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  std::string bound = (tls ? std::string(kTls) : "") + bound_address(descriptor);
  return Listener(std::move(own), tls, std::move(bound), {});
}

Listener::Outcome Listener::accept(std::optional<Accepted>& out) {
  for (;;) {
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    const int fd = ::accept4(descriptor_.get(), reinterpret_cast<sockaddr*>(&from), &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      net::StreamSocket socket(new net::StreamSocketImpl(fd));
      socket.setBlocking(false);
      if (from.ss_family == AF_INET || from.ss_family == AF_INET6) {
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      }
      out = Accepted{std::move(socket), text_of(from)};
      return Outcome::kAccepted;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return Outcome::kNothing;
    }
    if (errno != ECONNABORTED && errno != EINTR && errno != EPROTO) {
      return Outcome::kExhausted;
    }
    // The connection died before it was accepted: on to the next one.
  }
}

}  // namespace plexsphere::host::http::engine
