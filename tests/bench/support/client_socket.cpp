#include "bench/support/client_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace plexsphere::bench {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::uint8_t last, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7F000000U | last);
  return address;
}

int connect_to(const Endpoint& endpoint) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    fail("socket");
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (endpoint.source != 1) {
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    const sockaddr_in from = loopback(endpoint.source, 0);
    ::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from);
  }
  const sockaddr_in to = loopback(1, endpoint.port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    const int cause = std::exchange(errno, 0);
    ::close(fd);
    errno = cause;
    fail("connect");
  }
  return fd;
}

// One for the process; never freed, as its sessions may outlive every static object.
SSL_CTX* tls_context() {
  static SSL_CTX* context = [] {
    SSL_CTX* made = ::SSL_CTX_new(::TLS_client_method());
    ::SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS);
    return made;
  }();
  return context;
}

SSL* shake_hands(int fd) {
  SSL* ssl = ::SSL_new(tls_context());
  ::SSL_set_fd(ssl, fd);
  if (::SSL_connect(ssl) != 1) {
    ::SSL_free(ssl);
    ::close(fd);
    throw std::runtime_error("TLS handshake failed");
  }
  return ssl;
}

}  // namespace

ClientSocket::ClientSocket(const Endpoint& endpoint)
    : fd_(connect_to(endpoint)), ssl_(endpoint.tls ? shake_hands(fd_) : nullptr) {
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

ClientSocket::~ClientSocket() {
  ::SSL_free(ssl_);
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

ClientSocket::ClientSocket(ClientSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ssl_(std::exchange(other.ssl_, nullptr)) {}

ClientSocket& ClientSocket::operator=(ClientSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(ssl_, other.ssl_);
  return *this;
}

int ClientSocket::receive(std::span<char> into) {
  if (ssl_ == nullptr) {
    const ssize_t got = ::recv(fd_, into.data(), into.size(), 0);
    return got < 0 ? (errno == EAGAIN || errno == EINTR ? -1 : 0) : static_cast<int>(got);
  }
  ::ERR_clear_error();
  const int got = ::SSL_read(ssl_, into.data(), static_cast<int>(into.size()));
  if (got > 0) {
    return got;
  }
  return ::SSL_get_error(ssl_, got) == SSL_ERROR_WANT_READ ? -1 : 0;
}

bool ClientSocket::send(std::string_view bytes) {
  if (ssl_ == nullptr) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  return ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

}  // namespace plexsphere::bench
