// The loop's dealings with one connection: reading, handing over, answering, leaving.
#include <Poco/Exception.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/http/engine/event_loop.hpp"
#include "host/http/engine/response_bytes.hpp"
#include "host/http/stream/detached_connection.hpp"

namespace plexsphere::host::http::engine {
namespace {

constexpr int kReadsAtOnce = 4;                     // of one connection in one round
constexpr std::uint64_t kBytesASecond = 16 * 1024;  // that earn a slow client more time
constexpr std::chrono::seconds kLinger{2};          // for the client to take a last answer
constexpr std::uint64_t kMostDropped = 512 * 1024;  // bytes read and dropped meanwhile
constexpr std::chrono::seconds kLookAgain{1};       // at a connection whose request is under way
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr Refusal kTooSlow{408, "request_timeout", "The request did not arrive whole in time.",
                           "request_timeout", std::chrono::seconds{0}};
constexpr Refusal kNoRoom{503, "overloaded",
                          "The server holds as many bytes of request bodies as it takes; try again "
                          "shortly.",
                          "buffered_bytes", std::chrono::seconds{0}};

Refusal refusal_of(const wire::Fault& fault) {
  return {fault.status, fault.code, fault.detail, fault.reason, std::chrono::seconds{0}};
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// Bytes sent; 0 when the kernel takes none now. Throws Poco::Exception when the connection is
// broken. Not through Poco on plain sockets, where it throws for a full buffer too.
std::size_t send_some(Connection& connection, std::string_view bytes) {
  auto* impl = connection.socket.impl();
  ssize_t sent = 0;
  if (connection.tls) {
    constexpr std::size_t kMost = 1 << 30;
    sent = impl->sendBytes(bytes.data(), static_cast<int>(std::min(bytes.size(), kMost)), 0);
  } else {
    sent = ::send(impl->sockfd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && !would_block()) {
      throw Poco::IOException("send");
    }
  }
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

// Bytes received; 0 at the end or when the connection is broken, negative when there are none now.
ssize_t receive_some(Connection& connection, std::vector<char>& into) {
  auto* impl = connection.socket.impl();
  if (!connection.tls) {
    const ssize_t got = ::recv(impl->sockfd(), into.data(), into.size(), 0);
    return got < 0 && !would_block() ? 0 : got;
  }
  try {
    return impl->receiveBytes(into.data(), static_cast<int>(into.size()));
  } catch (const Poco::Exception&) {
    return 0;
  }
}

// Zeroes what was read when it has been used: a longer request must not stay readable behind
// shorter ones. The buffer is the loop's and is never freed, which would do the same.
class ReadOnce {
 public:
  ReadOnce(std::vector<char>& buffer, ssize_t size)
      : buffer_(buffer), size_(static_cast<std::size_t>(size)) {}
  ~ReadOnce() { ::explicit_bzero(buffer_.data(), size_); }
  ReadOnce(const ReadOnce&) = delete;
  ReadOnce& operator=(const ReadOnce&) = delete;

 private:
  std::vector<char>& buffer_;
  const std::size_t size_;
};

// Bytes of the answer that the other end's kernel has acknowledged; those in our own kernel's
// buffer, which may be megabytes, are no merit of the client's.
std::size_t taken_by_client(const Connection& connection) {
  int waiting = 0;
  if (::ioctl(connection.socket.impl()->sockfd(), SIOCOUTQ, &waiting) != 0 || waiting < 0) {
    waiting = 0;
  }
  return connection.out_at - std::min(connection.out_at, static_cast<std::size_t>(waiting));
}

}  // namespace

void EventLoop::mark_unsettled(Connection& connection, bool unsettled) noexcept {
  if (connection.unsettled != unsettled) {
    connection.unsettled = unsettled;
    unsettled ? ++unsettled_ : --unsettled_;
  }
}

void EventLoop::set_deadline(Connection& connection, Clock::time_point when) {
  connection.deadline = when;
  wheel_.schedule(connection, when);
}

EventLoop::Clock::time_point EventLoop::progress_deadline(const Connection& connection,
                                                          std::uint64_t bytes) const {
  return connection.began + options_.receive_timeout +
         std::chrono::seconds(static_cast<std::int64_t>(bytes / kBytesASecond));
}

void EventLoop::ready(Connection& connection, std::uint32_t events) {
  if (connection.gone) {
    return;
  }
  const bool ended = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (ended || (events & EPOLLIN) != 0) {
    connection.readable = true;  // before looking at busy: see answered
  }
  if (connection.busy) {
    if (connection.phase == Phase::kFlushing) {
      flush(connection);
    }
  } else if (connection.phase == Phase::kFlushing) {
    flush(connection);
  } else if (connection.readable && use_pipelined(connection)) {
    read(connection, ended || connection.tls);
  }
}

// After an answer, or when there was more than one round takes: what is here first, then the rest.
void EventLoop::resume(Connection& connection) {
  if (connection.gone || connection.busy || connection.phase == Phase::kFlushing) {
    return;
  }
  if (!use_pipelined(connection)) {
    return;
  }
  read(connection, true);
  if (stopping_) {
    leave_when_idle(connection);
  }
}

// After the listeners have closed. A client that has just connected, or has sent a part of a
// request, is given a moment to send the rest: it could not know.
void EventLoop::leave_when_idle(Connection& connection) {
  if (connection.gone || connection.busy || connection.phase != Phase::kReading) {
    return;
  }
  const auto last = connection.unsettled ? now_ + kLastRequests : connection.began + kLastRequests;
  if (!connection.unsettled && (connection.served || last <= now_)) {
    end(connection);
    return;
  }
  mark_unsettled(connection, true);
  set_deadline(connection, std::min(connection.deadline, last));
  connection.leaving = true;
}

void EventLoop::read(Connection& connection, bool to_end) {
  connection.readable = false;
  for (int round = 0; round < kReadsAtOnce; ++round) {
    const ssize_t got = receive_some(connection, scratch_);
    if (got < 0) {
      return;
    }
    if (got == 0) {
      drop(connection);
      return;
    }
    const ReadOnce once(scratch_, got);
    const bool may_have_more = to_end || got == static_cast<ssize_t>(scratch_.size());
    if (connection.phase == Phase::kLingering) {
      connection.dropped += static_cast<std::uint64_t>(got);
      if (connection.dropped > kMostDropped) {
        drop(connection);
        return;
      }
    } else if (!use(connection, {scratch_.data(), static_cast<std::size_t>(got)})) {
      if (may_have_more) {
        connection.readable = true;  // looked at when the answer is out
      }
      return;
    }
    if (!may_have_more) {
      return;
    }
  }
  again_.push_back(connection.shared_from_this());
}

// Before anything is read: what is read next may be the end, and then the connection is dropped.
bool EventLoop::use_pipelined(Connection& connection) {
  return !connection.pipelined || use(connection, {});
}

// True while the connection waits for more bytes; false when it became busy, is refused or gone.
bool EventLoop::use(Connection& connection, std::string_view bytes) {
  std::string held;
  connection.pipelined = false;
  if (!connection.in.empty()) {
    connection.in.append(bytes);
    held.swap(connection.in);
    bytes = held;
  }
  std::size_t used = 0;
  auto outcome = intake_.take(connection, bytes, used);
  if (const auto* fault = std::get_if<wire::Fault>(&outcome)) {
    refuse(connection, refusal_of(*fault));
    return false;
  }
  if (std::holds_alternative<Intake::NoRoom>(outcome)) {
    Refusal refusal = kNoRoom;
    refusal.retry_after = host_.retry_after();
    refuse(connection, refusal);
    return false;
  }
  connection.in.assign(bytes.substr(used));
  if (auto* whole = std::get_if<Intake::Whole>(&outcome)) {
    hand_over(connection, std::move(*whole));
    return false;
  }
  if (std::get<Intake::More>(outcome).send_continue) {
    try {
      if (send_some(connection, kContinue) != kContinue.size()) {
        throw Poco::IOException("answers before it were not taken");  // a piece of it would be none
      }
    } catch (const Poco::Exception&) {
      drop(connection);
      return false;
    }
  }
  await_bytes(connection);
  return true;
}

void EventLoop::await_bytes(Connection& connection) {
  if (connection.leaving) {
    return;
  }
  const bool within = connection.partial || !connection.in.empty();
  if (!within) {
    set_deadline(connection, now_ + options_.idle_timeout);
  } else {
    if (!connection.unsettled) {
      connection.began = now_;
    }
    set_deadline(
        connection,
        progress_deadline(connection, connection.partial ? connection.partial->received : 0));
  }
  mark_unsettled(connection, within);
}

void EventLoop::hand_over(Connection& connection, Intake::Whole whole) {
  if (connection.in.empty()) {
    std::string().swap(connection.in);  // an idle connection holds no buffer
  }
  connection.pipelined = !connection.in.empty();
  mark_unsettled(connection, false);
  connection.busy = true;
  connection.served = true;
  whole.request.arrived = now_;
  auto& jobs = whole.lane == Lane::kFast ? fast_jobs_ : blocking_jobs_;
  jobs.push_back(std::make_shared<Call>(host_, host_.tally(), connection.shared_from_this(),
                                        std::move(whole.request), whole.lane));
}

void EventLoop::refuse(Connection& connection, const Refusal& refusal) {
  connection.in.clear();
  connection.partial.reset();
  connection.out =
      response_bytes(host_.sink().refused(refusal, connection.peer), {false, false, false});
  connection.out_at = 0;
  connection.taken = 0;
  connection.keep_after_flush = false;
  connection.began = now_;
  connection.phase = Phase::kFlushing;
  mark_unsettled(connection, true);
  set_deadline(connection, now_ + options_.receive_timeout);
  flush(connection);
}

void EventLoop::answered(const std::shared_ptr<Connection>& connection, std::string bytes,
                         bool keep) noexcept {
  if (connection->gone) {
    return;
  }
  std::size_t sent = 0;
  try {
    sent = send_some(*connection, bytes);
  } catch (const Poco::Exception&) {
    order(Command::kDrop, connection);
    return;
  }
  if (sent < bytes.size()) {
    connection->out = std::move(bytes);
    connection->out_at = sent;
    connection->taken = 0;
    connection->keep_after_flush = keep;
    connection->began = Clock::now();
    order(Command::kFlush, connection);
    return;
  }
  if (!keep) {
    order(Command::kEnd, connection);
    return;
  }
  const bool more = connection->pipelined;
  connection->deadline = Clock::now() + options_.idle_timeout;
  connection->busy = false;
  // From here on the connection is the loop's. It marks `readable` before it looks at `busy`, and
  // we the other way round, so that one of us sees to bytes that came meanwhile.
  if (more || connection->readable || stopping_) {
    order(Command::kResume, connection);
  }
}

// The loop's: an answer that the kernel does not take at once.
void EventLoop::flush(Connection& connection) {
  connection.phase = Phase::kFlushing;
  try {
    while (connection.out_at < connection.out.size()) {
      const std::size_t sent =
          send_some(connection, std::string_view(connection.out).substr(connection.out_at));
      if (sent == 0) {
        return;
      }
      connection.out_at += sent;
    }
  } catch (const Poco::Exception&) {
    drop(connection);
    return;
  }
  settle(connection);
}

void EventLoop::settle(Connection& connection) {
  std::string().swap(connection.out);
  connection.out_at = 0;
  mark_unsettled(connection, false);
  if (!connection.keep_after_flush) {
    end(connection);
    return;
  }
  connection.phase = Phase::kReading;
  connection.busy = false;
  set_deadline(connection, now_ + options_.idle_timeout);
  resume(connection);
}

// Nothing more is sent. The client may still be sending, and closing on unread bytes would reset
// the connection under the answer: so they are read and dropped for a while.
void EventLoop::end(Connection& connection) {
  try {
    connection.socket.impl()->shutdownSend();
  } catch (const Poco::Exception&) {
    drop(connection);
    return;
  }
  connection.busy = false;
  connection.in.clear();
  connection.pipelined = false;
  connection.phase = Phase::kLingering;
  set_deadline(connection, now_ + kLinger);
  read(connection, true);
}

void EventLoop::give_away(std::shared_ptr<Connection> connection, std::string head, bool chunked,
                          Reply::Taker taker) noexcept {
  order(Command::kRun, nullptr,
        [this, connection = std::move(connection), head = std::move(head), chunked,
         taker = std::move(taker)]() mutable {
          if (connection->gone) {
            taker(std::nullopt);
            return;
          }
          DetachedConnection given{connection->socket, connection->peer, std::move(head), chunked,
                                   connection->slot};
          ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, given.socket.impl()->sockfd(), nullptr);
          connection->socket = Poco::Net::StreamSocket();  // Poco's sockets share where they move
          drop(*connection);
          taker(std::move(given));
        });
}

void EventLoop::drop(Connection& connection) noexcept {
  if (connection.gone.exchange(true)) {
    return;
  }
  mark_unsettled(connection, false);
  connection.partial.reset();
  connection.slot.reset();
  turned_away_ -= connection.turned_away ? 1 : 0;
  const int fd = connection.socket.impl()->sockfd();
  if (fd >= 0) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    if (connection.busy) {
      ::shutdown(fd, SHUT_RDWR);  // whoever answers still holds the socket
    } else {
      try {
        connection.socket.impl()->close();
      } catch (...) {
        // It is as closed as it can be.
      }
    }
  }
  all_.erase(all_.iterator_to(connection));
  if (static_cast<WheelEntry&>(connection).is_linked()) {
    static_cast<WheelEntry&>(connection).unlink();
  }
  graveyard_.push_back(std::move(connection.self));
}

void EventLoop::due(Connection& connection, Clock::time_point now) {
  const bool flushing = connection.phase == Phase::kFlushing;
  if (connection.busy && !flushing) {
    wheel_.schedule(connection, now + kLookAgain);
  } else if (connection.deadline > now) {
    wheel_.schedule(connection, connection.deadline);
  } else if (flushing) {
    flush_due(connection, now);
  } else if (connection.partial || !connection.in.empty()) {
    refuse(connection, kTooSlow);
  } else {
    const bool idle = connection.phase == Phase::kReading && !connection.leaving;
    idled_out_ += idle ? 1 : 0;
    drop(connection);
  }
}

// A client may take its answer slowly, but must go on taking it. Nothing else can be said to it any
// more: whatever followed would be read as a part of the answer.
void EventLoop::flush_due(Connection& connection, Clock::time_point now) {
  const std::size_t taken = taken_by_client(connection);
  const auto last = progress_deadline(connection, taken);
  if (taken <= connection.taken || last <= now) {
    ++untaken_;
    drop(connection);
    return;
  }
  connection.taken = taken;
  set_deadline(connection, std::min(last, now + options_.receive_timeout));
}

}  // namespace plexsphere::host::http::engine
