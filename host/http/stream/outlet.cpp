#include "host/http/stream/outlet.hpp"

#include <Poco/Net/StreamSocketImpl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>

namespace plexsphere::host::http::detail {
namespace {

// A client that has opened a stream has nothing to say: whoever sends more than this is put out.
constexpr std::uint32_t kMostInput = 16 * 1024;
// How long written bytes may stay without an acknowledgement before the peer counts as dead.
constexpr unsigned kUnacknowledgedMs = 60'000;

// Before everything else, unframed.
FramePtr head_frame(std::string head) {
  Frame frame;
  frame.text_size = static_cast<std::uint32_t>(head.size());
  frame.bytes = std::move(head);
  frame.counted = false;
  return std::make_shared<const Frame>(std::move(frame));
}

void prepare_socket(int descriptor, int send_buffer) {
  // Best effort: a socket that refuses (of the unix domain, say) serves as it is.
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMs,
               sizeof(kUnacknowledgedMs));
}

}  // namespace

void Outlet::attach(DetachedConnection connection, int send_buffer) {
  socket_ = std::move(connection.socket);
  slot_ = std::move(connection.slot);
  chunked_ = connection.chunked;
  secure_ = socket_->secure();
  descriptor_ = socket_->impl()->sockfd();
  prepare_socket(descriptor_, send_buffer);
  const FramePtr head = head_frame(std::move(connection.head));
  queued_frames_ += 1;
  queued_bytes_ += head->bytes.size();
  backlog().queue.push_front(head);
}

Taken Outlet::offer(std::span<const FramePtr> frames, const QueueLimits& limits) {
  std::array<const FramePtr*, kBatch> wanted{};
  std::size_t count = 0;
  for (const FramePtr& frame : frames) {
    if (frame->sequence == 0 || frame->sequence > had_) {
      wanted[count++] = &frame;
    }
  }
  const std::span<const FramePtr* const> left(wanted.data(), count);
  if (held_) {
    return hold(left, limits);
  }
  if (descriptor_ < 0 || waiting()) {
    return enqueue_all(left, limits);
  }
  std::array<std::string_view, kBatch> pieces{};
  for (std::size_t i = 0; i < count; ++i) {
    pieces[i] = (*left[i])->wire(chunked_);
  }
  std::size_t done = 0;
  while (done < count) {
    const auto sent = write(std::span(pieces).subspan(done, count - done));
    if (sent < 0) {
      return Taken::kBroken;
    }
    auto bytes = static_cast<std::size_t>(sent);
    while (done < count && bytes >= pieces[done].size()) {
      bytes -= pieces[done].size();
      ++done;
      ++frames_sent_;
    }
    if (done == count) {
      return Taken::kFine;
    }
    if (sent == 0 || bytes > 0) {
      // The first of the rest is begun, perhaps, so it is queued whatever its size.
      enqueue(*left[done]);
      backlog().offset = bytes;
      const Taken rest = enqueue_all(left.subspan(done + 1), limits);
      // A short write is no promise of an edge from epoll; being told to wait is.
      return rest == Taken::kFine && sent > 0 ? flush() : rest;
    }
  }
  return Taken::kFine;
}

Taken Outlet::append(const FramePtr& frame) {
  if (frame->sequence > had_) {
    had_ = frame->sequence;
  }
  const bool idle = !waiting();
  backlog().queue.push_back(frame);  // counted by reserve_room
  return idle && descriptor_ >= 0 ? flush() : Taken::kFine;
}

Taken Outlet::release() {
  held_ = false;
  if (backlog_ == nullptr) {
    return Taken::kFine;
  }
  const std::deque<FramePtr> held = std::move(backlog_->held);
  backlog_->held.clear();
  backlog_->held_bytes = 0;
  for (const FramePtr& frame : held) {
    if (frame->sequence == 0 || frame->sequence > had_) {
      enqueue(frame);
    }
  }
  return descriptor_ >= 0 ? flush() : Taken::kFine;
}

Taken Outlet::comment(const FramePtr& frame) {
  if (descriptor_ < 0 || waiting()) {
    return Taken::kFine;
  }
  enqueue(frame);
  return flush();
}

Taken Outlet::flush() {
  std::array<std::string_view, kBatch> pieces{};
  while (waiting()) {
    const auto& queue = backlog_->queue;
    std::size_t count = 0;
    for (; count < kBatch && count < queue.size(); ++count) {
      pieces[count] = queue[count]->wire(chunked_);
    }
    pieces[0].remove_prefix(backlog_->offset);
    const auto sent = write(std::span(pieces).first(count));
    if (sent < 0) {
      return Taken::kBroken;
    }
    if (sent == 0) {
      return Taken::kFine;
    }
    written_of_queue(static_cast<std::size_t>(sent));
  }
  if (backlog_ != nullptr && backlog_->held.empty()) {
    backlog_.reset();
  }
  return Taken::kFine;
}

bool Outlet::drop_input() {
  std::array<char, 4096> scratch;  // NOLINT: written before it is read
  while (received_ <= kMostInput) {
    std::ptrdiff_t count = 0;
    if (secure_) {
      try {
        count = socket_->impl()->receiveBytes(scratch.data(), static_cast<int>(scratch.size()), 0);
      } catch (...) {
        return false;
      }
    } else {
      count = ::recv(descriptor_, scratch.data(), scratch.size(), MSG_DONTWAIT);
    }
    if (count == 0) {
      return false;
    }
    if (count < 0) {
      if (!secure_ && errno == EINTR) {
        continue;
      }
      return secure_ || errno == EAGAIN || errno == EWOULDBLOCK;
    }
    received_ += static_cast<std::uint32_t>(count);
  }
  return false;
}

void Outlet::finish(const Frame* last) {
  if (descriptor_ < 0) {
    return;
  }
  if (may_interrupt()) {
    std::string goodbye(last == nullptr ? std::string_view() : last->wire(chunked_));
    goodbye += chunked_ ? kLastChunk : std::string_view();
    if (!goodbye.empty()) {
      write(goodbye);
    }
  }
  try {
    if (secure_) {
      socket_->shutdown();
    } else {
      ::shutdown(descriptor_, SHUT_WR);
    }
  } catch (...) {
    // The connection is given up in any case.
  }
  close();
}

void Outlet::close() noexcept {
  if (descriptor_ >= 0) {
    descriptor_ = -1;
    try {
      socket_->close();
    } catch (...) {
      // The descriptor is gone, whatever close(2) reports.
    }
  }
  socket_.reset();
  slot_.reset();
  backlog_.reset();
}

// A TLS record that waits must be offered again as it was, so nothing may come before it.
bool Outlet::may_interrupt() const noexcept {
  return began_ && (!waiting() || (!secure_ && backlog_->offset == 0));
}

bool Outlet::reserve_room(std::size_t size, const QueueLimits& limits) noexcept {
  if (!fits(size, limits)) {
    return false;
  }
  queued_frames_ += 1;
  queued_bytes_ += size;
  return true;
}

// One frame always fits into an empty queue, however large it is.
bool Outlet::fits(std::size_t size, const QueueLimits& limits) const noexcept {
  const std::size_t frames = queued_frames_;
  return frames == 0 || (frames < limits.frames && queued_bytes_ + size <= limits.bytes);
}

Outlet::Backlog& Outlet::backlog() {
  if (backlog_ == nullptr) {
    backlog_ = std::make_unique<Backlog>();
  }
  return *backlog_;
}

void Outlet::enqueue(const FramePtr& frame) {
  backlog().queue.push_back(frame);
  queued_frames_ += 1;
  queued_bytes_ += frame->bytes.size();
}

Taken Outlet::enqueue_all(std::span<const FramePtr* const> frames, const QueueLimits& limits) {
  for (const FramePtr* frame : frames) {
    if (!fits((*frame)->bytes.size(), limits)) {
      return Taken::kOverflow;
    }
    enqueue(*frame);
  }
  return Taken::kFine;
}

Taken Outlet::hold(std::span<const FramePtr* const> frames, const QueueLimits& limits) {
  for (const FramePtr* frame : frames) {
    Backlog& to = backlog();
    const std::size_t size = (*frame)->bytes.size();
    if (!to.held.empty() &&
        (to.held.size() >= limits.frames || to.held_bytes + size > limits.bytes)) {
      return Taken::kOverflow;
    }
    to.held.push_back(*frame);
    to.held_bytes += size;
  }
  return Taken::kFine;
}

void Outlet::written_of_queue(std::size_t bytes) {
  auto& queue = backlog_->queue;
  backlog_->offset += bytes;
  while (!queue.empty() && backlog_->offset >= queue.front()->wire(chunked_).size()) {
    const Frame& front = *queue.front();
    backlog_->offset -= front.wire(chunked_).size();
    queued_frames_ -= 1;
    queued_bytes_ -= front.bytes.size();
    frames_sent_ += front.counted ? 1 : 0;
    began_ = true;
    queue.pop_front();
  }
}

std::ptrdiff_t Outlet::write(std::string_view bytes) {
  if (secure_) {
    try {
      const auto size =
          static_cast<int>(std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max()));
      const int sent = socket_->impl()->sendBytes(bytes.data(), size, 0);
      return sent < 0 ? 0 : sent;
    } catch (...) {
      return -1;
    }
  }
  for (;;) {
    const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      return sent;
    }
    if (errno != EINTR) {
      return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
  }
}

std::ptrdiff_t Outlet::write(std::span<const std::string_view> pieces) {
  if (secure_ || pieces.size() == 1) {
    return write(pieces.front());
  }
  std::array<iovec, kBatch> vectors{};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};  // sendmsg only reads
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = pieces.size();
  for (;;) {
    const auto sent = ::sendmsg(descriptor_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      return sent;
    }
    if (errno != EINTR) {
      return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
  }
}

}  // namespace plexsphere::host::http::detail
