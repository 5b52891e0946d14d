#include "bench/support/echo_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "bench/support/listener.hpp"

namespace plexsphere::bench {

namespace {

// Never returns. Every request of these benchmarks fits one read.
[[noreturn]] void serve(int listener, const std::string& answer) {
  const int epoll = ::epoll_create1(0);
  const auto watch = [epoll](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listener);
  std::array<epoll_event, 64> events;
  std::array<char, 16384> chunk;
  for (;;) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        const int on = 1;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(client);
      } else if (::recv(fd, chunk.data(), chunk.size(), 0) > 0) {
        (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      } else {
        ::close(fd);
      }
    }
  }
}

}  // namespace

EchoServer::EchoServer(const std::string& answer)
    : listener_(listen_on_loopback()),
      port_(port_of(listener_)),
      child_([this, answer] { serve(listener_, answer); }) {
  ::close(listener_);
}

}  // namespace plexsphere::bench
