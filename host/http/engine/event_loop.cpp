#include "host/http/engine/event_loop.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <system_error>

#include "host/http/engine/response_bytes.hpp"
#include "host/http/stream/detached_connection.hpp"

namespace plexsphere::host::http::engine {
namespace {

constexpr std::size_t kScratch = 64 * 1024;
constexpr int kAcceptsAtOnce = 64;                   // for one listener in one round
constexpr int kAcceptsAtEnd = 4096;                  // for one listener: a whole backlog
constexpr std::chrono::milliseconds kBreather{100};  // after the process ran out of descriptors
constexpr std::chrono::seconds kLook{1};             // at how many connections are idle
constexpr std::size_t kMostTurnedAway = 64;          // at the same time; out of the reserve
constexpr std::uintptr_t kListenerTag = 1;

constexpr Refusal kTooManyConnections{
    503, "too_many_connections",
    "The server has as many connections as it takes; try again shortly.", "too_many_connections",
    std::chrono::seconds{0}};
constexpr Refusal kTooManyOfAddress{
    503, "too_many_connections",
    "This address has as many connections as one may have; close some of them.",
    "too_many_connections_of_address", std::chrono::seconds{0}};

std::size_t of_one_address(const EngineOptions& options) {
  constexpr std::size_t kPart = 4;
  return options.max_connections_per_address.value_or(
      std::max<std::size_t>(options.max_connections / kPart, 1));
}

FileDescriptor must(int descriptor, const char* what) {
  if (descriptor < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  return FileDescriptor(descriptor);
}

}  // namespace

EventLoop::EventLoop(CallHost& host, const EngineOptions& options)
    : host_(host),
      options_(options),
      intake_(host.sink(), options_),
      limits_(std::make_shared<ConnectionLimits>(options.max_connections, of_one_address(options),
                                                 options.is_proxy)),
      epoll_(must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      bell_(must(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      scratch_(kScratch),
      now_(Clock::now()) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // the bell
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &event);
  if (options_.certificates) {
    handshakes_ =
        std::make_unique<tls::Handshakes>(options_.handshake_timeout, [this](tls::Handshake done) {
          auto shared = std::make_shared<tls::Handshake>(std::move(done));
          order(Command::kRun, nullptr, [this, shared] {
            ++handshakes_done_;
            welcome(std::move(shared->socket), std::move(shared->peer), std::move(shared->slot));
          });
        });
  }
  thread_ = std::thread([this] { run(); });
}

EventLoop::~EventLoop() {
  end();
  follow_orders();  // given since; whoever was to get a connection hears that it is gone
}

void EventLoop::end() {
  if (!thread_.joinable()) {
    return;
  }
  order(Command::kRun, nullptr, [this] { ending_ = true; });
  thread_.join();
  handshakes_.reset();
  listeners_.clear();
  while (!all_.empty()) {
    drop(all_.front());
  }
}

void EventLoop::order(Command command, std::shared_ptr<Connection> connection,
                      std::function<void()> run) noexcept {
  bool first = false;
  {
    const std::lock_guard lock(orders_mutex_);
    first = orders_.empty();
    orders_.push_back({command, std::move(connection), std::move(run)});
  }
  if (first) {
    ring();
  }
}

void EventLoop::ring() {
  const std::uint64_t one = 1;
  (void)!::write(bell_.get(), &one, sizeof(one));
}

void EventLoop::order_and_wait(std::function<void()> run) {
  const auto done = std::make_shared<std::promise<void>>();
  order(Command::kRun, nullptr, [run = std::move(run), done] {
    run();
    done->set_value();
  });
  done->get_future().wait();
}

void EventLoop::follow_orders() {
  std::uint64_t rung = 0;
  (void)!::read(bell_.get(), &rung, sizeof(rung));
  std::vector<Order> orders;
  {
    const std::lock_guard lock(orders_mutex_);
    orders.swap(orders_);
  }
  for (auto& next : orders) {
    if (next.command == Command::kRun) {
      next.run();
    } else if (!next.connection->gone) {
      Connection& connection = *next.connection;
      switch (next.command) {
        case Command::kResume:
          resume(connection);
          break;
        case Command::kFlush:
          mark_unsettled(connection, true);
          set_deadline(connection, now_ + options_.receive_timeout);
          flush(connection);
          break;
        case Command::kEnd:
          end(connection);
          break;
        default:
          drop(connection);
      }
    }
  }
}

void EventLoop::run() {
  std::array<epoll_event, 256> events;
  while (!ending_) {
    const bool quiet = all_.empty() && listen_again_ == Clock::time_point();
    const int wait =
        !again_.empty() ? 0 : (quiet ? -1 : static_cast<int>(TimerWheel::kTick.count()));
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait);
    now_ = Clock::now();
    bool rung = false;
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      const auto tagged = reinterpret_cast<std::uintptr_t>(event.data.ptr);
      if (tagged == 0) {
        rung = true;
      } else if ((tagged & kListenerTag) != 0) {
        accept_from(*reinterpret_cast<Listener*>(tagged & ~kListenerTag));
      } else {
        ready(*static_cast<Connection*>(event.data.ptr), event.events);
      }
    }
    if (rung) {
      follow_orders();  // after the events: an order may end what one of them names
    }
    std::vector<std::shared_ptr<Connection>> more;
    more.swap(again_);
    for (const auto& connection : more) {
      resume(*connection);
    }
    turn_wheel();
    host_.lane(Lane::kFast).submit(fast_jobs_);
    host_.lane(Lane::kBlocking).submit(blocking_jobs_);
    graveyard_.clear();
  }
}

void EventLoop::turn_wheel() {
  wheel_.turn(now_, [this](WheelEntry& entry) { due(static_cast<Connection&>(entry), now_); });
  if (now_ - looked_ >= kLook) {
    looked_ = now_;
    idle_ = static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [](const auto& one) {
      return !one.busy && one.phase == Phase::kReading && !one.unsettled;
    }));
  }
  if (listen_again_ != Clock::time_point() && now_ >= listen_again_) {
    listen_again_ = {};
    for (const auto& listener : listeners_) {
      watch(*listener, true, EPOLL_CTL_MOD);
    }
  }
}

void EventLoop::watch(Listener& listener, bool on, int operation) {
  epoll_event event{};
  event.events = on ? EPOLLIN : 0U;
  event.data.ptr =
      reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(&listener) | kListenerTag);
  ::epoll_ctl(epoll_.get(), operation, listener.descriptor(), &event);
}

void EventLoop::serve(Listener listener) {
  auto owned =
      std::make_shared<std::unique_ptr<Listener>>(std::make_unique<Listener>(std::move(listener)));
  order_and_wait([this, owned] {
    listeners_.push_back(std::move(*owned));
    watch(*listeners_.back(), true, EPOLL_CTL_ADD);
  });
}

void EventLoop::accept_from(Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    std::optional<Listener::Accepted> accepted;
    const auto outcome = listener.accept(accepted);
    if (outcome == Listener::Outcome::kExhausted) {
      watch(listener, false, EPOLL_CTL_MOD);
      listen_again_ = now_ + kBreather;
    }
    if (outcome != Listener::Outcome::kAccepted) {
      return;
    }
    admit(std::move(*accepted), listener.tls());
  }
}

void EventLoop::admit(Listener::Accepted accepted, bool tls) {
  ++accepted_;
  auto taken = limits_->take(accepted.peer);
  if (const auto* limit = std::get_if<ConnectionLimits::Limit>(&taken)) {
    turn_away(std::move(accepted), tls, *limit);
    return;
  }
  auto slot = std::get<std::shared_ptr<void>>(std::move(taken));
  if (tls) {
    shake_hands(std::move(accepted), std::move(slot));
  } else {
    welcome(std::move(accepted.socket), std::move(accepted.peer), std::move(slot));
  }
}

void EventLoop::shake_hands(Listener::Accepted accepted, std::shared_ptr<void> slot) {
  ++handshakes_begun_;
  handshakes_->add(
      {options_.certificates->wrap(accepted.socket), std::move(accepted.peer), std::move(slot)});
}

// Not what the handshakes say is under way: one that has ended may still be on its way to us.
bool EventLoop::all_hands_shaken() const noexcept {
  return !handshakes_ || handshakes_done_ + handshakes_->failed() == handshakes_begun_;
}

// A TLS client cannot be told before its handshake, which is what we have no room for. Others are
// read from until they have taken the answer, or their request would reset the connection under it.
void EventLoop::turn_away(Listener::Accepted accepted, bool tls, ConnectionLimits::Limit limit) {
  Refusal refusal =
      limit == ConnectionLimits::Limit::kTotal ? kTooManyConnections : kTooManyOfAddress;
  refusal.retry_after = host_.retry_after();
  if (tls || turned_away_ >= kMostTurnedAway) {
    const Response response = host_.sink().refused(refusal, accepted.peer);
    if (!tls) {
      say_and_close(accepted.socket, response);
    }
    return;
  }
  if (auto* connection = take_up(std::move(accepted.socket), std::move(accepted.peer), nullptr)) {
    connection->turned_away = true;
    ++turned_away_;
    refuse(*connection, refusal);
  }
}

void EventLoop::say_and_close(Poco::Net::StreamSocket& socket, const Response& response) {
  const std::string bytes = response_bytes(response, {false, false, false});
  const int fd = socket.impl()->sockfd();
  (void)::recv(fd, scratch_.data(), scratch_.size(), MSG_DONTWAIT);  // else closing resets
  (void)::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::shutdown(fd, SHUT_WR);
}

// Null when the kernel watches no more sockets; it is closed then.
Connection* EventLoop::take_up(Poco::Net::StreamSocket socket, std::string peer,
                               std::shared_ptr<void> slot) {
  const auto made = std::make_shared<Connection>(std::move(socket));
  Connection& connection = *made;
  connection.self = made;
  connection.peer = std::move(peer);
  connection.slot = std::move(slot);
  connection.tls = connection.socket.secure();
  all_.push_back(connection);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<std::uint32_t>(EPOLLET);
  event.data.ptr = &connection;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.socket.impl()->sockfd(), &event) != 0) {
    drop(connection);
    return nullptr;
  }
  return &connection;
}

void EventLoop::welcome(Poco::Net::StreamSocket socket, std::string peer,
                        std::shared_ptr<void> slot) {
  if (cut_) {
    return;
  }
  Connection* connection = take_up(std::move(socket), std::move(peer), std::move(slot));
  if (connection == nullptr) {
    return;
  }
  connection->began = now_;
  set_deadline(*connection, now_ + options_.idle_timeout);
  if (connection->tls) {
    resume(*connection);  // bytes may have come with the end of the handshake
  }
}

void EventLoop::stop_accepting() {
  if (stopping_.exchange(true)) {
    return;
  }
  order_and_wait([this] { end_listening(); });
}

bool EventLoop::settled(const std::function<bool()>& also) {
  bool out = false;
  order_and_wait([this, &also, &out] { out = unsettled_ == 0 && all_hands_shaken() && also(); });
  return out;
}

// What the kernel has accepted already is served; closing would reset it. Not what comes meanwhile,
// or clients that go on connecting would hold up everybody else's end.
void EventLoop::accept_last(Listener& listener) {
  std::optional<Listener::Accepted> last;
  for (int i = 0; i < kAcceptsAtEnd; ++i, last.reset()) {
    if (listener.accept(last) != Listener::Outcome::kAccepted) {
      return;
    }
    admit(std::move(*last), listener.tls());
  }
}

void EventLoop::end_listening() {
  for (const auto& listener : listeners_) {
    accept_last(*listener);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener->descriptor(), nullptr);
  }
  listeners_.clear();
  if (handshakes_) {
    handshakes_->hurry_silent(kLastRequests);
  }
  for (auto at = all_.begin(); at != all_.end();) {
    Connection& connection = *at++;
    resume(connection);  // a request may have arrived that no event has told of yet
  }
}

void EventLoop::force_close() {
  order_and_wait([this] {
    cut_ = true;
    if (handshakes_) {
      handshakes_->cut();
    }
    while (!all_.empty()) {
      drop(all_.front());
    }
  });
}

}  // namespace plexsphere::host::http::engine
