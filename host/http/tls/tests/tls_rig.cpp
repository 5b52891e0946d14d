#include "host/http/tls/tests/tls_rig.hpp"

#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "host/base/file.hpp"

namespace plexsphere::host::http::tls {
namespace {

constexpr std::chrono::seconds kPatience(20);

// What the other end has been sent, and is still owed.
struct Echo {
  std::string owed;
  std::size_t sent = 0;
  bool ended = false;

  void receive(Poco::Net::StreamSocket& socket) {
    std::array<char, 5'000> buffer;
    while (!ended) {
      const int got = socket.receiveBytes(buffer.data(), static_cast<int>(buffer.size()));
      if (got < 0) {
        return;
      }
      ended = got == 0;
      owed.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }

  void send(Poco::Net::StreamSocket& socket) {
    while (sent < owed.size()) {
      const int put = socket.sendBytes(owed.data() + sent, static_cast<int>(owed.size() - sent));
      if (put < 0) {
        return;
      }
      sent += static_cast<std::size_t>(put);
    }
  }
};

}  // namespace

TlsRig::TlsRig(std::shared_ptr<Certificates> certificates, std::chrono::milliseconds deadline)
    : certificates_(std::move(certificates)),
      listener_(Poco::Net::SocketAddress("127.0.0.1", 0), 1024),
      handshakes_(std::make_unique<Handshakes>(deadline, [this](Handshake handshake) {
        const std::lock_guard lock(mutex_);
        ready_.push_back(handshake.socket);
        arrived_.notify_one();
      })) {
  acceptor_ = std::thread([this] { accept(); });
}

TlsRig::~TlsRig() {
  stop();
}

void TlsRig::stop() {
  stopping_ = true;
  if (acceptor_.joinable()) {
    acceptor_.join();
  }
  handshakes_.reset();
}

void TlsRig::accept() {
  while (!stopping_) {
    if (!listener_.poll(Poco::Timespan(20'000), Poco::Net::Socket::SELECT_READ)) {
      continue;
    }
    auto accepted = listener_.acceptConnection();
    accepted.setNoDelay(true);  // or what follows a session ticket waits 40 ms for its ACK
    handshakes_->add({certificates_->wrap(accepted), "127.0.0.1", nullptr});
  }
}

Poco::Net::StreamSocket TlsRig::take() {
  std::unique_lock lock(mutex_);
  if (!arrived_.wait_for(lock, kPatience, [this] { return !ready_.empty(); })) {
    throw std::runtime_error("no connection finished its handshake");
  }
  auto socket = ready_.front();
  ready_.pop_front();
  return socket;
}

std::size_t echo_until_end(Poco::Net::StreamSocket& socket) {
  const FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket.impl()->sockfd(), &event);
  Echo echo;
  while (!echo.ended || echo.sent < echo.owed.size()) {
    if (::epoll_wait(epoll.get(), &event, 1,
                     static_cast<int>(std::chrono::milliseconds(kPatience).count())) != 1) {
      throw std::runtime_error("no edge came: " + std::to_string(echo.owed.size()) + " received, " +
                               std::to_string(echo.sent) + " sent back");
    }
    echo.receive(socket);
    echo.send(socket);
  }
  return echo.sent;
}

int receive_something(Poco::Net::StreamSocket& socket, void* buffer, int length) {
  while (true) {
    const int got = socket.receiveBytes(buffer, length);
    if (got >= 0) {
      return got;
    }
    pollfd waiting{socket.impl()->sockfd(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) != 1) {
      throw std::runtime_error("nothing to receive");
    }
  }
}

std::string receive_exactly(Poco::Net::StreamSocket& socket, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const int got = receive_something(socket, bytes.data() + done, static_cast<int>(size - done));
    if (got == 0) {
      throw std::runtime_error("ended after " + std::to_string(done) + " bytes");
    }
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace plexsphere::host::http::tls
