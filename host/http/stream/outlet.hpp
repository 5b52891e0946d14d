// A client's connection and what is still to be written to it. Internal to host/http/stream.
//
// Thread safety: the hub thread only, but for reserve_room. Ownership: owns the connection.
//
// Small on purpose, for there are thousands: what a stream that keeps up does not need lies in the
// backlog, which exists only while something waits.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "host/http/stream/detached_connection.hpp"
#include "host/http/stream/frame.hpp"

namespace plexsphere::host::http::detail {

struct QueueLimits {
  std::size_t frames = 256;
  std::size_t bytes = 1024 * 1024;
};

// Frames that one call to the kernel carries at most.
inline constexpr std::size_t kBatch = 16;

enum class Taken { kFine, kOverflow, kBroken };

class Outlet {
 public:
  // Published frames with a sequence up to `after` are left out; the others are held, if `held`.
  Outlet(std::uint64_t after, bool held) : had_(after), held_(held) {}
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  // Takes the connection over, gives the kernel's side `send_buffer` bytes and puts its head before
  // everything that waits already. Nothing is written yet.
  void attach(DetachedConnection connection, int send_buffer);
  int descriptor() const noexcept { return descriptor_; }  // -1: not attached

  // Published frames, kBatch at most: those that the client has had already are left out, the rest
  // is written, queued or held. kOverflow leaves the queue as it was found, or shorter.
  Taken offer(std::span<const FramePtr> frames, const QueueLimits& limits);
  // A frame of this client's own, for which reserve_room was given. Overtakes what is held.
  Taken append(const FramePtr& frame);
  // Moves what is held to the queue.
  Taken release();
  // Writes a comment, unless frames wait, which will do as well.
  Taken comment(const FramePtr& frame);
  // Writes what waits, as far as the socket takes it.
  Taken flush();
  // Reads and drops what the client sends. False when it has left, or keeps sending.
  bool drop_input();
  // Writes `last`, if not null, and the end of the body, provided that this tears no frame; then
  // closes. What waits still is dropped. Never blocks. Nothing if not attached.
  void finish(const Frame* last);
  // Closes without a word.
  void close() noexcept;

  // Makes room for one frame of `size` bytes in the queue; false when it is full. Any thread, one
  // at a time.
  bool reserve_room(std::size_t size, const QueueLimits& limits) noexcept;

  std::uint64_t frames_sent() const noexcept { return frames_sent_; }  // events, no comments

 private:
  struct Backlog {
    std::deque<FramePtr> queue;
    std::size_t offset = 0;  // bytes of the first frame that are written
    std::deque<FramePtr> held;
    std::size_t held_bytes = 0;
  };

  bool waiting() const noexcept { return backlog_ != nullptr && !backlog_->queue.empty(); }
  bool may_interrupt() const noexcept;
  bool fits(std::size_t size, const QueueLimits& limits) const noexcept;
  Backlog& backlog();
  void enqueue(const FramePtr& frame);
  Taken enqueue_all(std::span<const FramePtr* const> frames, const QueueLimits& limits);
  Taken hold(std::span<const FramePtr* const> frames, const QueueLimits& limits);
  void written_of_queue(std::size_t bytes);
  // Bytes that the socket took: 0 when it would block, negative when the connection is broken.
  std::ptrdiff_t write(std::string_view bytes);
  std::ptrdiff_t write(std::span<const std::string_view> pieces);

  std::optional<Poco::Net::StreamSocket> socket_;
  std::shared_ptr<void> slot_;  // shared with the engine, which counts connections by it
  std::unique_ptr<Backlog> backlog_;
  std::uint64_t had_;
  std::uint64_t frames_sent_ = 0;
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<std::uint32_t> queued_frames_{0};
  std::uint32_t received_ = 0;  // bytes that the client has sent
  int descriptor_ = -1;
  bool chunked_ = true;
  bool secure_ = false;
  bool began_ = false;  // the head is written
  bool held_;
};

}  // namespace plexsphere::host::http::detail
