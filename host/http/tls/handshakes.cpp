#include "host/http/tls/handshakes.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <list>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "host/base/file.hpp"
#include "host/http/tls/tls_socket.hpp"

namespace plexsphere::host::http::tls {
namespace {

using Clock = std::chrono::steady_clock;

// kSilent: its hello is not there. kWaiting: in the backlog. kActive: begun a moment ago. kSlow:
// its client did not go on at once.
enum class Stage : unsigned char { kSilent, kWaiting, kActive, kSlow };

struct Entry {
  Handshake handshake;
  Clock::time_point deadline{};
  std::list<Entry>::iterator self{};  // in the list it is in
  Stage stage = Stage::kSilent;
  Clock::time_point begun{};             // from kActive on
  std::list<Entry*>::iterator queued{};  // in the backlog or among the active ones
};

// How many may be active; with kMoment, at least 1,280 handshakes begin each second however slow
// the clients are, which is more than one thread can finish.
constexpr std::size_t kMostActive = 256;
constexpr std::chrono::milliseconds kMoment{200};
// How many begin before those that have begun are looked at again.
constexpr int kBeginAtOnce = 16;

TlsSocketImpl& tls_of(const Handshake& handshake) {
  auto* socket = dynamic_cast<TlsSocketImpl*>(handshake.socket.impl());
  if (socket == nullptr) {
    throw std::invalid_argument("Handshakes::add needs a socket from Certificates::wrap");
  }
  return *socket;
}

FileDescriptor checked(int descriptor, const char* what) {
  if (descriptor < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
  return FileDescriptor(descriptor);
}

}  // namespace

// Those that have begun go first: when thousands of clients come at once, few are half-way at any
// time, rather than all of them. That keeps memory low (a handshake takes some 30 KiB beyond what
// the connection needs, and leaves holes), and lets the early ones succeed when there is no time
// for all. Clients that stop half-way hold up nobody: after kMoment they do not count any more.
//
// Each handshake has the same time, so the order of arrival is the order of the deadlines: the list
// is always sorted, and only its front can be due.
struct Handshakes::Impl {
  const std::chrono::milliseconds deadline;
  const std::function<void(Handshake)> done;
  const FileDescriptor epoll;
  const FileDescriptor wake;

  std::mutex mutex;
  std::list<Entry> arrived;                                   // guarded by mutex
  bool stopping = false;                                      // guarded by mutex
  Clock::time_point silent_until = Clock::time_point::max();  // guarded by mutex
  bool cutting = false;                                       // guarded by mutex

  // The thread's own.
  std::list<Entry> entries;
  std::list<Entry*> backlog;  // oldest first, as below
  std::list<Entry*> active;
  Clock::time_point leave_silent = Clock::time_point::max();  // silent_until, as last looked at
  bool cut_all = false;

  std::atomic<std::size_t> under_way{0};
  std::atomic<std::size_t> succeeded{0};
  std::atomic<std::size_t> failed{0};

  std::thread thread;  // last: it uses all of the above

  Impl(std::chrono::milliseconds time, std::function<void(Handshake)> taker)
      : deadline(time),
        done(std::move(taker)),
        epoll(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
        wake(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
    thread = std::thread([this] { run(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    wake_up();
    thread.join();
  }

  void wake_up() const noexcept {
    // Fails only when the counter is full, and then the thread is about to wake anyhow.
    [[maybe_unused]] const int ignored = ::eventfd_write(wake.get(), 1);
  }

  void run() {
    std::array<epoll_event, 64> events;
    while (take_arrivals()) {
      const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()),
                                     milliseconds_to_next());
      for (int i = 0; i < count; ++i) {
        handle(events[static_cast<std::size_t>(i)]);
      }
      begin_some();
      expire();
    }
  }

  void handle(const epoll_event& event) {
    if (event.data.ptr == nullptr) {
      eventfd_t ignored = 0;
      ::eventfd_read(wake.get(), &ignored);
      return;
    }
    auto& entry = *static_cast<Entry*>(event.data.ptr);
    // Not before there is something to shake hands with: strangers who connect and wait are cheap.
    const bool ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    const bool begun = entry.stage == Stage::kActive || entry.stage == Stage::kSlow;
    if (begun || ended) {
      advance(entry);
    } else if (entry.stage == Stage::kSilent && tls_of(entry.handshake).hello_arrived()) {
      entry.stage = Stage::kWaiting;
      entry.queued = backlog.insert(backlog.end(), &entry);
    }
  }

  void begin_some() {
    const auto now = Clock::now();
    while (!active.empty() && active.front()->begun + kMoment <= now) {
      leave_queue(*active.front());
    }
    for (int i = 0; i < kBeginAtOnce && may_begin(); ++i) {
      Entry& entry = *backlog.front();
      entry.stage = Stage::kActive;
      entry.begun = now;
      active.splice(active.end(), backlog, entry.queued);
      advance(entry);
    }
  }

  bool may_begin() const { return !backlog.empty() && active.size() < kMostActive; }

  void leave_queue(Entry& entry) {
    if (entry.stage == Stage::kWaiting) {
      backlog.erase(entry.queued);
    } else if (entry.stage == Stage::kActive) {
      active.erase(entry.queued);
    }
    entry.stage = Stage::kSlow;
  }

  // False when it is time to go.
  bool take_arrivals() {
    std::list<Entry> fresh;
    {
      const std::lock_guard lock(mutex);
      if (stopping) {
        return false;
      }
      fresh.swap(arrived);
      leave_silent = silent_until;
      cut_all = cutting;
    }
    for (auto next = fresh.begin(); next != fresh.end();) {
      const auto entry = next++;
      entries.splice(entries.end(), fresh, entry);
      entry->self = entry;
      watch(*entry);
    }
    return true;
  }

  void watch(Entry& entry) {
    epoll_event event{};
    // A new registration reports what is there already, so the first step comes by itself.
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &entry;
    if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, entry.handshake.socket.impl()->sockfd(), &event) !=
        0) {
      drop(entry);
    }
  }

  void advance(Entry& entry) {
    switch (tls_of(entry.handshake).handshake()) {
      case TlsSocketImpl::Handshake::kBlocked:
        return;
      case TlsSocketImpl::Handshake::kFailed:
        drop(entry);
        return;
      case TlsSocketImpl::Handshake::kDone:
        hand_over(entry);
        return;
    }
  }

  void hand_over(Entry& entry) {
    leave_queue(entry);
    ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, entry.handshake.socket.impl()->sockfd(), nullptr);
    Handshake finished = std::move(entry.handshake);
    entries.erase(entry.self);
    ++succeeded;
    --under_way;
    done(std::move(finished));
  }

  void drop(Entry& entry) {
    leave_queue(entry);
    entry.handshake.socket.close();  // also takes it out of the epoll set
    entries.erase(entry.self);
    ++failed;
    --under_way;
  }

  void expire() {
    const auto now = Clock::now();
    while (!entries.empty() && (cut_all || entries.front().deadline <= now)) {
      drop(entries.front());
    }
    if (leave_silent <= now) {
      drop_silent();
    }
  }

  void drop_silent() {
    for (auto next = entries.begin(); next != entries.end();) {
      Entry& entry = *next++;
      if (entry.stage == Stage::kSilent) {
        drop(entry);
      }
    }
  }

  int milliseconds_to_next() const {
    if (entries.empty()) {
      return -1;
    }
    if (may_begin() || cut_all) {
      return 0;
    }
    const auto now = Clock::now();
    auto next = entries.front().deadline;
    if (leave_silent > now) {  // afterwards none is left that it is about
      next = std::min(next, leave_silent);
    }
    if (!backlog.empty()) {
      next = std::min(next, active.front()->begun + kMoment);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }
};

Handshakes::Handshakes(std::chrono::milliseconds deadline, std::function<void(Handshake)> done)
    : impl_(std::make_unique<Impl>(deadline, std::move(done))) {}

Handshakes::~Handshakes() = default;

void Handshakes::add(Handshake handshake) {
  tls_of(handshake);
  std::list<Entry> entry;
  entry.emplace_back();
  entry.front().handshake = std::move(handshake);
  ++impl_->under_way;
  bool first = false;
  {
    const std::lock_guard lock(impl_->mutex);
    // Under the lock, so that the order of the list is that of the deadlines.
    entry.front().deadline = Clock::now() + impl_->deadline;
    first = impl_->arrived.empty();
    impl_->arrived.splice(impl_->arrived.end(), entry);
  }
  if (first) {
    impl_->wake_up();
  }
}

void Handshakes::hurry_silent(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->silent_until = Clock::now() + patience;
  }
  impl_->wake_up();
}

void Handshakes::cut() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->cutting = true;
  }
  impl_->wake_up();
}

std::size_t Handshakes::under_way() const noexcept {
  return impl_->under_way;
}

std::size_t Handshakes::succeeded() const noexcept {
  return impl_->succeeded;
}

std::size_t Handshakes::failed() const noexcept {
  return impl_->failed;
}

}  // namespace plexsphere::host::http::tls
