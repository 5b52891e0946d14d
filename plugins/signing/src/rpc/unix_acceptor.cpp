#include "rpc/unix_acceptor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace plexsphere::signing {
namespace {

constexpr int kBacklog = 64;
// How long to leave the listener alone when the process has no descriptor left for a connection.
constexpr int kOutOfDescriptorsMs = 100;

Fault broken(const std::string& path, const char* step) {
  return {FaultKind::kInternal, path + ": " + step + ": " + std::strerror(errno)};
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());  // parse_endpoint bounds the length
  return address;
}

const sockaddr* as_sockaddr(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

Outcome<Done> prepare_directory(const std::string& socket_path) {
  const std::string directory = socket_path.substr(0, socket_path.rfind('/'));
  if (mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST) {
    return broken(directory, "cannot be created");
  }
  struct stat info {};
  if (lstat(directory.c_str(), &info) != 0) {
    return broken(directory, "cannot be examined");
  }
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 0027) != 0) {
    return Fault{FaultKind::kInternal,
                 directory +
                     ": must be a directory of the signer's user with mode 0750 or less; "
                     "run chown and chmod 0750 on it"};
  }
  return Done{};
}

// True when some process accepts connections at the address.
bool answers(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool connected =
      fd >= 0 && (connect(fd, as_sockaddr(address), sizeof address) == 0 || errno == EAGAIN);
  if (fd >= 0) {
    close(fd);
  }
  return connected;
}

Outcome<Done> remove_leftover(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    return Done{};
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Fault{FaultKind::kInternal, path + ": exists and is not a socket; remove it"};
  }
  if (answers(address)) {
    return Fault{FaultKind::kInternal, path + ": another process listens there"};
  }
  if (unlink(path.c_str()) != 0) {
    return broken(path, "the old socket cannot be removed");
  }
  return Done{};
}

}  // namespace

Outcome<std::unique_ptr<UnixAcceptor>> UnixAcceptor::listen(const UnixEndpoint& endpoint) {
  if (const Outcome<Done> ready = prepare_directory(endpoint.path); !ready.ok()) {
    return ready.fault();
  }
  const sockaddr_un address = address_of(endpoint.path);
  if (const Outcome<Done> clear = remove_leftover(endpoint.path, address); !clear.ok()) {
    return clear.fault();
  }
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // The directory is what keeps others out; within it the group may connect and is then checked.
  const bool listening = fd >= 0 && wake >= 0 &&
                         bind(fd, as_sockaddr(address), sizeof address) == 0 &&
                         chmod(endpoint.path.c_str(), 0660) == 0 && ::listen(fd, kBacklog) == 0;
  if (!listening) {
    const Fault fault = broken(endpoint.path, "cannot be listened on");
    for (const int open : {fd, wake}) {
      if (open >= 0) {
        close(open);
      }
    }
    return fault;
  }
  return std::unique_ptr<UnixAcceptor>(new UnixAcceptor(fd, wake, endpoint));
}

UnixAcceptor::UnixAcceptor(int socket_fd, int wake_fd, UnixEndpoint endpoint)
    : endpoint_(std::move(endpoint)), socket_fd_(socket_fd), wake_fd_(wake_fd) {}

UnixAcceptor::~UnixAcceptor() {
  stop();
}

void UnixAcceptor::start(Accepted accepted, Refused refused) {
  accepted_ = std::move(accepted);
  refused_ = std::move(refused);
  thread_ = std::thread([this] { run(); });
}

void UnixAcceptor::stop() {
  if (socket_fd_ < 0) {
    return;
  }
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    // The counter cannot be full: this is the only write of its life.
    [[maybe_unused]] const ssize_t wrote = write(wake_fd_, &one, sizeof one);
    thread_.join();
  }
  close(socket_fd_);
  close(wake_fd_);
  socket_fd_ = wake_fd_ = -1;
  unlink(endpoint_.path.c_str());
}

void UnixAcceptor::run() {
  while (true) {
    std::array<pollfd, 2> waiting{pollfd{socket_fd_, POLLIN, 0}, pollfd{wake_fd_, POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), -1) < 0) {
      continue;  // EINTR is the only failure of a poll on two valid descriptors
    }
    if (waiting[1].revents != 0) {
      return;
    }
    const int fd = accept4(socket_fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      admit(fd);
    } else if (errno == EMFILE || errno == ENFILE) {
      poll(&waiting[1], 1, kOutOfDescriptorsMs);
    }
  }
}

void UnixAcceptor::admit(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    close(fd);
    return;
  }
  const auto& allowed = endpoint_.allowed_uids;
  if (std::find(allowed.begin(), allowed.end(), peer.uid) == allowed.end()) {
    close(fd);
    refused_(peer.uid);
    return;
  }
  accepted_(fd);
}

}  // namespace plexsphere::signing
