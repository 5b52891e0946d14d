#include "bench/support/raw_fanout.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "bench/support/crowd.hpp"
#include "bench/support/listener.hpp"

namespace plexsphere::bench {

namespace {

void serve(int listener, int orders, std::uint32_t count, std::size_t event_bytes) {
  constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\n\r\n";
  std::vector<int> clients;
  while (clients.size() < count) {
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      throw std::system_error(errno, std::generic_category(), "accept");
    }
    const int on = 1;
    ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)!::send(client, kHead.data(), kHead.size(), MSG_NOSIGNAL);
    clients.push_back(client);
  }
  std::uint32_t number = 0;
  while (::read(orders, &number, sizeof number) == static_cast<ssize_t>(sizeof number)) {
    const std::string event = event_payload(number, event_bytes);
    for (const int client : clients) {
      (void)!::send(client, event.data(), event.size(), MSG_NOSIGNAL);
    }
  }
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  return ends;
}

}  // namespace

RawFanout::RawFanout(std::uint32_t count, std::size_t event_bytes)
    : listener_(listen_on_loopback()),
      pipe_(make_pipe()),
      port_(port_of(listener_)),
      child_([this, count, event_bytes] {
        ::close(pipe_[1]);
        serve(listener_, pipe_[0], count, event_bytes);
      }) {
  ::close(listener_);
  ::close(pipe_[0]);
}

RawFanout::~RawFanout() {
  ::close(pipe_[1]);
}

void RawFanout::publish(std::uint32_t number) {
  if (::write(pipe_[1], &number, sizeof number) != static_cast<ssize_t>(sizeof number)) {
    throw std::system_error(errno, std::generic_category(), "the raw fan-out is gone");
  }
}

}  // namespace plexsphere::bench
