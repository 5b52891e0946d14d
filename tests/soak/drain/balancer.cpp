#include "soak/drain/balancer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace plexsphere::soak {
namespace {

constexpr std::size_t kMostFailures = 100;

Ports ports_in(std::uint64_t place) {
  return {static_cast<std::uint16_t>(place), static_cast<std::uint16_t>(place >> 16)};
}

int listen_on_loopback(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(fd, 64) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "balancer");
  }
  port = ntohs(address.sin_port);
  return fd;
}

bool readable(int fd, int milliseconds) {
  pollfd wanted{fd, POLLIN, 0};
  return ::poll(&wanted, 1, milliseconds) > 0;
}

std::string text_of(const KeptConnection::Answer& answer) {
  return "HTTP/1.1 " + std::to_string(answer.status) +
         " Forwarded\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" +
         answer.body;
}

}  // namespace

// One client's connection and the connections kept for it.
class Balancer::Relay {
 public:
  Relay(Balancer& balancer, int client, bool tls)
      : balancer_(balancer), client_(client), tls_(tls) {}
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay() { ::close(client_); }

  void run() {
    for (std::string head; read_head(head); head.clear()) {
      const std::string answer = text_of(forward(target_of(head)));
      (void)!::send(client_, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

 private:
  struct Kept {
    std::uint64_t place = 0;
    std::optional<KeptConnection> connection;
  };

  // Up to the empty line; the clients here send no body and wait for each answer.
  bool read_head(std::string& head) {
    std::array<char, 2048> chunk;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(client_, chunk.data(), chunk.size(), 0);
      if (got <= 0) {
        return false;
      }
      head.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return true;
  }

  static std::string target_of(const std::string& head) {
    const auto begin = head.find(' ') + 1;
    return head.substr(begin, head.find(' ', begin) - begin);
  }

  void connect(Kept& kept, std::uint64_t place) const {
    const Ports ports = ports_in(place);
    if (tls_) {
      kept.connection.emplace(ports.tls, balancer_.context_);
    } else {
      kept.connection.emplace(ports.plain);
    }
    kept.place = place;
  }

  KeptConnection::Answer forward(const std::string& target) {
    const std::size_t index = balancer_.next();
    if (index == kReplicas) {
      balancer_.fail(target + ": no replica is ready");
      return {503, "", true};
    }
    Kept& kept = kept_[index];
    const std::uint64_t place = balancer_.replicas_[index].place;
    try {
      if (!kept.connection || kept.place != place) {
        connect(kept, place);
      }
      auto answer = kept.connection->get(target);
      if (!answer.keeps) {
        kept.connection.reset();
      }
      ++balancer_.replicas_[index].served;
      return answer;
    } catch (const std::exception& error) {
      kept.connection.reset();
      balancer_.fail(target + " to replica " + std::to_string(index) + ": " + error.what());
      return {502, "", true};
    }
  }

  Balancer& balancer_;
  int client_;
  const bool tls_;
  std::array<Kept, kReplicas> kept_;
};

Balancer::Balancer() : listener_(listen_on_loopback(port_)) {
  for (Replica& replica : replicas_) {
    probes_.emplace_back([this, &replica](const std::stop_token& stop) { probe(stop, replica); });
  }
  accepting_ = std::jthread([this](const std::stop_token& stop) { accept_clients(stop); });
}

Balancer::~Balancer() {
  accepting_.request_stop();
  accepting_.join();
  relays_.clear();
  probes_.clear();
  ::close(listener_);
}

void Balancer::set_replica(std::size_t index, Ports ports) {
  Replica& replica = replicas_[index];
  replica.up = false;
  const std::uint64_t times = (replica.place >> 32) + 1;
  replica.place = times << 32 | std::uint64_t{ports.tls} << 16 | ports.plain;
}

Ports Balancer::pick() {
  const std::size_t index = next();
  return index == kReplicas ? Ports{} : ports_in(replicas_[index].place);
}

std::vector<std::string> Balancer::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

void Balancer::fail(std::string what) {
  ++failed_;
  const std::lock_guard lock(mutex_);
  if (failures_.size() < kMostFailures) {
    failures_.push_back(std::move(what));
  }
}

std::size_t Balancer::next() {
  const std::size_t first = turn_++;
  for (std::size_t i = 0; i < kReplicas; ++i) {
    const std::size_t index = (first + i) % kReplicas;
    if (replicas_[index].up) {
      return index;
    }
  }
  return kReplicas;
}

void Balancer::accept_clients(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!readable(listener_, 20)) {
      continue;
    }
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) {
      const int on = 1;
      ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const bool tls = relays_.size() % 2 == 1;
      relays_.emplace_back([this, client, tls] { Relay(*this, client, tls).run(); });
    }
  }
}

void Balancer::probe(const std::stop_token& stop, Replica& replica) {
  while (!stop.stop_requested()) {
    const std::uint64_t place = replica.place;
    bool ready = false;
    if (place != 0) {
      try {
        ready = KeptConnection(ports_in(place).plain).get("/readyz").status == 200;
      } catch (const std::exception&) {
        ready = false;  // as good as any other answer that is not 200
      }
    }
    if (place == replica.place) {
      replica.up = ready;
    }
    std::this_thread::sleep_for(kProbeInterval);
  }
}

}  // namespace plexsphere::soak
