// Server-sent events to many clients: one thread, one epoll set, no thread and no copy each.
//
// A published frame is rendered once and shared by every queue it waits in. Publishers put it into
// the hub's inbox and go on; the hub thread writes it to the clients, in the order of the inbox.
//
// The slow: what a socket does not take at once waits in a queue of `queue_frames` frames and
// `queue_bytes` bytes (one frame always fits). A client whose queue is full when the next frame
// comes is disconnected (kSlow, counted, logged), with a "retry:" hint if its connection stands
// between two frames; it comes back with Last-Event-ID and is served from the record. What is held
// back for a replay has bounds of its own of the same size. Nobody waits for a slow client.
//
// Thread safety: every member from any thread, unless it says otherwise; none waits but withdraw,
// drain and the destructor. Callbacks run on the hub thread without any lock.
// Ownership: owns the connections given to it. The logger and the metrics must outlive it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/stream/frame.hpp"

namespace plexsphere::host::telemetry {
class Logger;
class Metrics;
}  // namespace plexsphere::host::telemetry

namespace plexsphere::host::http {

struct DetachedConnection;

using StreamId = std::uint64_t;  // never 0, never used again

// Numbered as px_stream_end.
enum class StreamEnd : std::int32_t {
  kNone = 0,
  kClientLeft = 1,  // also: broke, kept talking, or acknowledged nothing for 60 s
  kSlow = 2,
  kClosed = 3,
  kDraining = 4
};

struct StreamHubOptions {
  std::size_t queue_frames = 256;              // of one subscriber
  std::size_t queue_bytes = 1024 * 1024;       // of one subscriber, framing included
  std::size_t inbox_frames = 65'536;           // published and not yet written by the hub thread
  std::size_t inbox_bytes = 64 * 1024 * 1024;  // the same in bytes
  std::size_t max_subscribers = 16'384;
  int send_buffer = 64 * 1024;  // SO_SNDBUF; a stalled client would fill megabytes otherwise
  std::chrono::milliseconds keep_alive{25'000};
  // A client that is sent away is told to come back after `reconnect_base` and a random part of a
  // spread. At a drain that grows by `reconnect_spread_each` for each client, up to
  // `reconnect_spread`; a slow client has all of it, as many may be slow at the same moment and
  // nobody knows how many.
  std::chrono::milliseconds reconnect_base{1'000};
  std::chrono::milliseconds reconnect_spread{10'000};
  std::chrono::milliseconds reconnect_spread_each{2};
};

struct Subscription {
  const void* owner = nullptr;        // what withdraw names
  std::vector<std::string> channels;  // without duplicates
  bool held = false;                  // until release
  std::uint64_t after = 0;  // published frames with a sequence other than 0 up to it are left out
  std::function<void(StreamId, StreamEnd)> ended;  // once, after attach or abandon; may be empty
};

class StreamHub {
 public:
  // Begins the hub thread. Throws std::system_error when the kernel has no descriptor for it.
  StreamHub(telemetry::Logger& log, telemetry::Metrics& metrics, StreamHubOptions options = {});
  // Ends what is left as kClosed.
  ~StreamHub();
  StreamHub(const StreamHub&) = delete;
  StreamHub& operator=(const StreamHub&) = delete;

  // A stream whose connection is still to come; it misses nothing published from now on. To be
  // followed by exactly one of attach, abandon and forget. kResourceExhausted: max_subscribers;
  // kCancelled: draining, or the owner was withdrawn.
  Result<StreamId> reserve(Subscription subscription);
  // Its connection. Writes the head, then what was published meanwhile.
  void attach(StreamId id, DetachedConnection connection);
  // Its connection was gone before it could be attached: kClientLeft.
  void abandon(StreamId id);
  // It was not opened after all; `ended` is not called.
  void forget(StreamId id);

  // The next three answer kNotFound when the stream has ended or is another owner's.
  // To one stream, before what is held. kResourceExhausted: its queue is full, nothing was sent.
  Status send(const void* owner, StreamId id, const FramePtr& frame);
  // Ends the holding.
  Status release(const void* owner, StreamId id);
  Status close(const void* owner, StreamId id);
  // To all subscribers of a channel. kResourceExhausted: the inbox is full, nobody was sent it.
  Status publish(std::string_view channel, const FramePtr& frame);
  void close_channel(std::string_view channel);
  std::size_t subscribers(std::string_view channel) const;  // of a channel
  std::size_t subscribers() const;                          // of all

  // Ends the owner's streams and opens no more for it. When it returns no callback of the owner
  // runs or ever will. Not from a callback.
  void withdraw(const void* owner);
  // Opens no more streams, tells each client when to reconnect, and ends it. True when all have
  // ended by `deadline`. May be called again. Not from a callback.
  bool drain(std::chrono::steady_clock::time_point deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::host::http
