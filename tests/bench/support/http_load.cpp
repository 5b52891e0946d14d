#include "bench/support/http_load.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <vector>

namespace plexsphere::bench {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    fail("socket");
  }
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  return fd;
}

// Size of the answer at the front of `buffer`, or 0 while it is not complete.
std::size_t answer_size(std::string_view buffer) {
  const std::size_t head = buffer.find("\r\n\r\n");
  if (head == std::string_view::npos) {
    return 0;
  }
  std::size_t length = 0;
  for (std::size_t at = buffer.find("\r\n"); at < head; at = buffer.find("\r\n", at + 2)) {
    constexpr std::string_view kName = "content-length:";
    const std::string_view line = buffer.substr(at + 2, head - at);
    if (line.size() > kName.size() && ::strncasecmp(line.data(), kName.data(), kName.size()) == 0) {
      length = std::strtoul(line.data() + kName.size(), nullptr, 10);
    }
  }
  const std::size_t whole = head + 4 + length;
  return buffer.size() >= whole ? whole : 0;
}

struct Connection {
  int fd = -1;
  std::string buffer;
};

class Load {
 public:
  Load(std::uint16_t port, const std::string& request, int connections)
      : port_(port), request_(request), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(static_cast<std::size_t>(connections));
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      open(i);
    }
  }
  ~Load() {
    for (const Connection& connection : connections_) {
      ::close(connection.fd);
    }
    ::close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  LoadResult run(std::chrono::milliseconds duration) {
    const auto start = Clock::now();
    for (const Connection& connection : connections_) {
      send(connection);
    }
    std::array<epoll_event, 64> events;
    while (Clock::now() - start < duration) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < ready; ++i) {
        receive(events[static_cast<std::size_t>(i)].data.u64);
      }
    }
    const std::chrono::duration<double> took = Clock::now() - start;
    result_.per_second = static_cast<double>(result_.answers) / took.count();
    return result_;
  }

 private:
  void open(std::size_t i) {
    connections_[i] = {connect_to(port_), {}};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].fd, &event);
  }

  void send(const Connection& connection) {
    (void)!::send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL);
  }

  void receive(std::size_t i) {
    Connection& connection = connections_[i];
    std::array<char, 16384> chunk;
    const ssize_t got = ::recv(connection.fd, chunk.data(), chunk.size(), 0);
    if (got <= 0) {
      ++result_.broken_connections;
      ::close(connection.fd);
      open(i);
      send(connections_[i]);
      return;
    }
    connection.buffer.append(chunk.data(), static_cast<std::size_t>(got));
    if (const std::size_t size = answer_size(connection.buffer)) {
      result_.answer_bytes = size;
      ++result_.answers;
      if (connection.buffer.compare(0, 10, "HTTP/1.1 2") != 0) {
        ++result_.wrong_status;
      }
      connection.buffer.erase(0, size);
      send(connection);
    }
  }

  std::uint16_t port_;
  const std::string& request_;
  int epoll_;
  std::vector<Connection> connections_;
  LoadResult result_;
};

}  // namespace

LoadResult http_load(std::uint16_t port, const std::string& request, int connections,
                     std::chrono::milliseconds duration) {
  return Load(port, request, connections).run(duration);
}

}  // namespace plexsphere::bench
