#include "soak/drain/kept_connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

namespace plexsphere::soak {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";

int open_socket(std::chrono::milliseconds timeout) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    throw std::system_error(errno, std::generic_category(), "socket");
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  timeval limit{};
  limit.tv_sec = timeout.count() / 1000;
  limit.tv_usec = timeout.count() % 1000 * 1000;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The value of a header in a lower-case head; empty when it is not there.
std::string header(const std::string& head, const std::string& name) {
  const std::string start = "\r\n" + name + ": ";
  const auto at = head.find(start);
  if (at == std::string::npos) {
    return {};
  }
  const auto begin = at + start.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

KeptConnection::KeptConnection(std::uint16_t port, std::chrono::milliseconds timeout)
    : fd_(open_socket(timeout)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int cause = errno;
    ::close(fd_);
    throw std::system_error(cause, std::generic_category(), "connect");
  }
}

KeptConnection::~KeptConnection() {
  ::close(fd_);
}

void KeptConnection::read_more() {
  std::array<char, 4096> chunk;
  const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), 0);
  if (got == 0) {
    throw std::runtime_error("closed before the whole answer");
  }
  if (got < 0) {
    throw std::system_error(errno, std::generic_category(), "recv");
  }
  buffer_.append(chunk.data(), static_cast<std::size_t>(got));
}

KeptConnection::Answer KeptConnection::get(std::string_view target) {
  const std::string request =
      "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost" + std::string(kEndOfHead);
  if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    throw std::system_error(errno, std::generic_category(), "send");
  }
  while (buffer_.find(kEndOfHead) == std::string::npos) {
    read_more();
  }
  const std::size_t head_size = buffer_.find(kEndOfHead) + kEndOfHead.size();
  const std::string head = lower(buffer_.substr(0, head_size));
  const std::string length = header(head, "content-length");
  if (!head.starts_with("http/1.1 ") || length.empty()) {
    throw std::runtime_error("no answer with a length: " + head);
  }
  const std::size_t whole = head_size + std::strtoul(length.c_str(), nullptr, 10);
  while (buffer_.size() < whole) {
    read_more();
  }
  Answer answer{std::atoi(head.c_str() + 9), buffer_.substr(head_size, whole - head_size),
                header(head, "connection") != "close"};
  buffer_.erase(0, whole);
  return answer;
}

}  // namespace plexsphere::soak
