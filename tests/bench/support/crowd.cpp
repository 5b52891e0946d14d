#include "bench/support/crowd.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

namespace plexsphere::bench {

namespace {

constexpr std::string_view kMark = "#seq=";  // then eight digits and '#'

struct Member {
  explicit Member(ClientSocket opened) : socket(std::move(opened)) {}
  ClientSocket socket;
  std::uint32_t next = 0;                     // number of the next event
  std::uint8_t kept = 0;                      // bytes in `tail`
  std::array<char, kMarkerBytes - 1> tail{};  // what may be the beginning of a marker
  std::string head;                           // while it is not complete
  bool ready = false;
};

}  // namespace

// Runs in the child.
class CrowdLoop {
 public:
  CrowdLoop(const Endpoint& server, const std::string& request, std::uint32_t count,
            std::uint32_t first_event, Crowd::State& state)
      : state_(state), count_(count), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    members_.reserve(count);
    had_.resize(Crowd::kMaxEvents);
    for (std::uint32_t i = 0; i < count; ++i) {
      members_.emplace_back(ClientSocket(server)).next = first_event;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, members_[i].socket.fd(), &event);
      if (!members_[i].socket.send(request)) {
        throw std::runtime_error("a request was not sent");
      }
      if (i % 64 == 63) {
        turn(0);
      }
    }
  }

  // Until the process is killed.
  [[noreturn]] void run() {
    for (;;) {
      turn(-1);
    }
  }

 private:
  void turn(int wait_ms) {
    std::array<epoll_event, 256> events;
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
    for (int i = 0; i < ready; ++i) {
      receive(members_[events[static_cast<std::size_t>(i)].data.u32]);
    }
  }

  void receive(Member& member) {
    std::array<char, 16384> chunk;
    std::memcpy(chunk.data(), member.tail.data(), member.kept);
    const int got = member.socket.receive(std::span(chunk).subspan(member.kept));
    if (got < 0) {
      return;
    }
    if (got == 0) {
      ++state_.closed;
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, member.socket.fd(), nullptr);
      return;
    }
    if (!member.ready) {
      read_head(member, {chunk.data(), static_cast<std::size_t>(got)});
      return;
    }
    state_.bytes.fetch_add(static_cast<std::uint64_t>(got), std::memory_order_relaxed);
    read_events(member, {chunk.data(), member.kept + static_cast<std::size_t>(got)});
  }

  void read_head(Member& member, std::string_view bytes) {
    member.head += bytes;
    const std::size_t end = member.head.find("\r\n\r\n");
    if (end == std::string::npos) {
      return;
    }
    if (!member.head.starts_with("HTTP/1.1 2")) {
      ++state_.faults;
    }
    member.ready = true;
    const std::string rest = member.head.substr(end + 4);
    std::string().swap(member.head);
    ++state_.ready;
    read_events(member, rest);
  }

  void read_events(Member& member, std::string_view bytes) {
    std::size_t from = 0;
    for (std::size_t at = bytes.find(kMark); at != std::string_view::npos;
         at = bytes.find(kMark, from)) {
      if (at + kMarkerBytes > bytes.size()) {
        from = at;
        break;
      }
      std::uint32_t number = 0;
      std::from_chars(bytes.data() + at + kMark.size(), bytes.data() + at + kMarkerBytes - 1,
                      number);
      take_event(member, number);
      from = at + kMarkerBytes;
    }
    const std::size_t keep = std::min(bytes.size() - from, member.tail.size());
    std::memcpy(member.tail.data(), bytes.data() + bytes.size() - keep, keep);
    member.kept = static_cast<std::uint8_t>(keep);
  }

  void take_event(Member& member, std::uint32_t number) {
    if (number != member.next || number >= Crowd::kMaxEvents) {
      ++state_.faults;
    }
    member.next = number + 1;
    if (number < Crowd::kMaxEvents && ++had_[number] == count_) {
      state_.complete_ns[number] = Crowd::Clock::now().time_since_epoch().count();
    }
  }

  Crowd::State& state_;
  std::uint32_t count_;
  int epoll_;
  std::vector<Member> members_;
  std::vector<std::uint32_t> had_;  // members that have had each event
};

std::string event_payload(std::uint32_t number, std::size_t size) {
  std::array<char, kMarkerBytes + 1> marker;
  std::snprintf(marker.data(), marker.size(), "#seq=%08u#", number % 100'000'000U);
  return std::string(size - kMarkerBytes, 'x') + marker.data();
}

Crowd::Crowd(const Endpoint& server, const std::string& request, std::uint32_t count,
             std::uint32_t first_event)
    : count_(count), child_([this, server, request, count, first_event] {
        CrowdLoop(server, request, count, first_event, *state_).run();
      }) {}

bool Crowd::wait_ready(std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  while (state_->ready < count_ && Clock::now() < end) {
    if (!child_.running()) {
      throw std::runtime_error("the clients ended early");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return state_->ready >= count_;
}

std::optional<Crowd::Clock::time_point> Crowd::wait_event(std::uint32_t number,
                                                          std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  std::atomic<std::int64_t>& complete = state_->complete_ns[number];
  while (complete == 0 && Clock::now() < end && child_.running()) {
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  const std::int64_t at = complete;
  return at == 0 ? std::nullopt : std::optional(Clock::time_point(Clock::duration(at)));
}

}  // namespace plexsphere::bench
