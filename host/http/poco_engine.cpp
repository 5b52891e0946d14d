#include "host/http/poco_engine.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

#include "host/base/file.hpp"
#include "host/http/poco_connection.hpp"

namespace plexsphere::host::http {
namespace {

namespace net = Poco::Net;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kUnix = "unix:";
constexpr int kBacklog = 1024;

struct Listener {
  net::ServerSocket socket;
  std::string address;
  std::string path;  // of a unix socket, to be removed at the end
  std::thread thread;
};

// Never SO_REUSEPORT, which Poco's shorter overloads set: a second process would silently share the
// port instead of being told that it is taken.
net::ServerSocket open_tcp(const std::string& address) {
  net::ServerSocket socket;
  if (!address.empty() && address.front() == ':') {
    const auto port = static_cast<Poco::UInt16>(std::stoul(address.substr(1)));
    try {
      socket.bind6(port, true, false, false);  // both families
    } catch (const Poco::Exception&) {
      socket = net::ServerSocket();
      socket.bind(net::SocketAddress("0.0.0.0", port), true, false);
    }
  } else {
    const net::SocketAddress parsed(address);
    if (parsed.family() == net::SocketAddress::IPv6) {
      socket.bind6(parsed, true, false, true);
    } else {
      socket.bind(parsed, true, false);
    }
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

net::ServerSocket open_unix(const std::string& path) {
  remove_stale_socket(path);
  net::ServerSocket socket;
  socket.bind(net::SocketAddress(net::SocketAddress::UNIX_LOCAL, path), false, false);
  ::chmod(path.c_str(), 0660);
  return socket;
}

class PocoEngine final : public Engine {
 public:
  PocoEngine(RequestSink& sink, const EngineOptions& options) : host_(sink, options) {
    host_.params = new net::HTTPServerParams;
    host_.params->setKeepAlive(true);
    host_.others_wait = [this] { return waiting_.load() > 0; };
    for (std::size_t i = 0; i < options.workers; ++i) {
      workers_.emplace_back([this] { work(); });
    }
  }

  ~PocoEngine() override {
    stop_accepting();
    force_close();
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) {
      worker.join();
    }
  }

  Status listen(const std::string& address) override {
    try {
      const bool local = address.rfind(kUnix, 0) == 0;
      Listener listener;
      listener.path = local ? address.substr(kUnix.size()) : "";
      listener.socket = local ? open_unix(listener.path) : open_tcp(address);
      listener.socket.listen(kBacklog);
      listener.address = local ? address : listener.socket.address().toString();
      const std::lock_guard lock(mutex_);
      listeners_.push_back(std::move(listener));
      Listener& kept = listeners_.back();
      kept.thread = std::thread([this, &kept] { accept(kept.socket); });
      return {};
    } catch (const Poco::Exception& error) {
      return {Code::kUnavailable, "cannot listen on '" + address + "': " + error.displayText()};
    } catch (const std::exception&) {
      return {Code::kInvalidArgument,
              "cannot listen on '" + address + "': write host:port, :port or unix:/path"};
    }
  }

  std::vector<std::string> addresses() const override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& listener : listeners_) {
      out.push_back(listener.address);
    }
    return out;
  }

  void discourage() noexcept override { host_.discourage = true; }

  void stop_accepting() noexcept override {
    if (host_.stopping.exchange(true)) {
      return;
    }
    for (auto& listener : listeners_) {
      listener.thread.join();
      listener.socket.close();
      if (!listener.path.empty()) {
        ::unlink(listener.path.c_str());
      }
    }
  }

  bool wait_idle(Clock::time_point deadline) override {
    std::unique_lock lock(mutex_);
    return idle_.wait_until(lock, deadline, [this] { return open_.empty() && queue_.empty(); });
  }

  void force_close() noexcept override {
    const std::lock_guard lock(mutex_);
    queue_.clear();
    waiting_ = 0;
    for (auto& socket : open_) {
      try {
        socket->shutdown();
      } catch (...) {
        // Already gone.
      }
    }
  }

  std::size_t in_flight() const noexcept override { return host_.in_flight; }
  std::size_t refused() const noexcept override { return refused_; }

 private:
  void accept(net::ServerSocket& socket) noexcept {
    const Poco::Timespan slice(20'000);
    for (bool last = false; !last;) {
      last = host_.stopping;  // one more round, for what the kernel has accepted already
      try {
        while (socket.poll(last ? Poco::Timespan(0) : slice, net::Socket::SELECT_READ)) {
          enqueue(std::make_unique<net::StreamSocket>(socket.acceptConnection()));
          if (host_.stopping && !last) {
            break;
          }
        }
      } catch (...) {
        // Out of descriptors, or the client left before it was accepted. Give others time to close.
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  }

  // By pointer, so that the acceptor keeps no reference to a socket that a worker has.
  void enqueue(std::unique_ptr<net::StreamSocket> socket) {
    if (socket->address().family() != net::SocketAddress::UNIX_LOCAL) {
      socket->setNoDelay(true);
    }
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= host_.options.max_waiting) {
      ++refused_;
      return;
    }
    queue_.push_back(std::move(socket));
    waiting_ = queue_.size();
    wake_.notify_one();
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (ending_) {
        return;
      }
      const auto open = open_.insert(open_.end(), std::move(queue_.front()));
      queue_.pop_front();
      waiting_ = queue_.size();
      lock.unlock();
      detail::serve_connection(host_, **open);
      lock.lock();
      open_.erase(open);
      if (open_.empty()) {
        idle_.notify_all();
      }
    }
  }

  detail::ConnectionHost host_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;  // workers
  std::condition_variable idle_;  // wait_idle
  std::list<Listener> listeners_;
  std::deque<std::unique_ptr<net::StreamSocket>> queue_;
  std::list<std::unique_ptr<net::StreamSocket>> open_;  // connections being served
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::size_t> refused_{0};
  bool ending_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<Engine> make_poco_engine(RequestSink& sink, const EngineOptions& options) {
  return std::make_unique<PocoEngine>(sink, options);
}

}  // namespace plexsphere::host::http
