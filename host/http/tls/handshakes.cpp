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

struct Entry {
  Handshake handshake;
  Clock::time_point deadline;
  std::list<Entry>::iterator self;  // in the list it is in
};

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

// Each handshake has the same time, so the order of arrival is the order of the deadlines: the list
// is always sorted, and only its front can be due.
struct Handshakes::Impl {
  const std::chrono::milliseconds deadline;
  const std::function<void(Handshake)> done;
  const FileDescriptor epoll;
  const FileDescriptor wake;

  std::mutex mutex;
  std::list<Entry> arrived;  // guarded by mutex
  bool stopping = false;     // guarded by mutex

  std::list<Entry> entries;  // the thread's own

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
    if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ||
        tls_of(entry.handshake).hello_arrived()) {
      advance(entry);
    }
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
    ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, entry.handshake.socket.impl()->sockfd(), nullptr);
    Handshake finished = std::move(entry.handshake);
    entries.erase(entry.self);
    ++succeeded;
    --under_way;
    done(std::move(finished));
  }

  void drop(Entry& entry) {
    entry.handshake.socket.close();  // also takes it out of the epoll set
    entries.erase(entry.self);
    ++failed;
    --under_way;
  }

  void expire() {
    const auto now = Clock::now();
    while (!entries.empty() && entries.front().deadline <= now) {
      drop(entries.front());
    }
  }

  int milliseconds_to_next() const {
    if (entries.empty()) {
      return -1;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(entries.front().deadline - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  }
};

Handshakes::Handshakes(std::chrono::milliseconds deadline, std::function<void(Handshake)> done)
    : impl_(std::make_unique<Impl>(deadline, std::move(done))) {}

Handshakes::~Handshakes() = default;

void Handshakes::add(Handshake handshake) {
  tls_of(handshake);
  std::list<Entry> entry;
  entry.push_back({std::move(handshake), {}, {}});
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
