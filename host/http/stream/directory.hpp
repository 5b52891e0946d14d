// What callers and the hub thread share: who exists, and what is to be done. Internal to
// host/http/stream.
//
// Every change goes through one inbox in the order it was asked for. So a stream that was reserved
// before a frame was published gets that frame, whatever threads the two came from.
//
// Thread safety: any thread; one short lock. Ownership: shares the subscribers with the commands.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "host/http/stream/detached_connection.hpp"
#include "host/http/stream/hub.hpp"
#include "host/http/stream/hub_metrics.hpp"
#include "host/http/stream/subscriber.hpp"

namespace plexsphere::host::http::detail {

using SubscriberPtr = std::shared_ptr<Subscriber>;

// For the hub thread.
struct Join {
  SubscriberPtr who;
};
struct Attach {
  SubscriberPtr who;
  std::unique_ptr<DetachedConnection> connection;
};
struct Abandon {
  SubscriberPtr who;
};
struct Forget {
  SubscriberPtr who;
};
struct Send {
  SubscriberPtr who;
  FramePtr frame;
};
struct Release {
  SubscriberPtr who;
};
struct Publish {
  std::shared_ptr<Channel> channel;
  FramePtr frame;
  std::chrono::steady_clock::time_point at;
};
struct Close {
  SubscriberPtr who;
};
struct CloseChannel {
  std::shared_ptr<Channel> channel;
};
struct Withdraw {
  const void* owner;
  std::promise<void>* done;
};
struct Drain {};

using Command = std::variant<Join, Attach, Abandon, Forget, Send, Release, Publish, Close,
                             CloseChannel, Withdraw, Drain>;

class Directory {
 public:
  // `wake` makes the hub thread look into the inbox; it must not block. The metrics outlive it.
  Directory(const StreamHubOptions& options, HubMetrics& metrics, std::function<void()> wake);
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // As StreamHub's.
  Result<StreamId> reserve(Subscription subscription);
  void attach(StreamId id, DetachedConnection connection);
  void abandon(StreamId id);
  void forget(StreamId id);
  Status send(const void* owner, StreamId id, const FramePtr& frame);
  Status release(const void* owner, StreamId id);
  Status publish(std::string_view channel, const FramePtr& frame);
  Status close(const void* owner, StreamId id);
  void close_channel(std::string_view channel);
  std::size_t subscribers(std::string_view channel) const;
  std::size_t subscribers() const;
  void withdraw(const void* owner);
  bool drain(std::chrono::steady_clock::time_point deadline);

  // For the hub thread.
  // Moves the inbox to the end of `work`.
  void take(std::deque<Command>& work);
  // A published frame has been dealt with and frees its room in the inbox.
  void published(std::size_t bytes);
  // Leaves its channels' counts; no frame of its own is taken for it from now on.
  void left_channels(Subscriber& who);
  // It has ended. Returns the directory's share in it.
  SubscriberPtr remove(Subscriber& who);
  std::vector<SubscriberPtr> all() const;

 private:
  // Under the lock. find_open: null too when it is another's or takes no frame any more.
  SubscriberPtr find(StreamId id) const;
  SubscriberPtr find_open(const void* owner, StreamId id) const;
  std::shared_ptr<Channel> channel(const std::string& name);
  void leave(Subscriber& who);
  void post(Command command);

  const StreamHubOptions options_;
  HubMetrics& metrics_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable empty_;  // the last stream has ended
  std::unordered_map<StreamId, SubscriberPtr> by_id_;
  std::map<std::string, std::shared_ptr<Channel>, std::less<>> channels_;
  std::set<const void*> withdrawn_;
  std::deque<Command> inbox_;
  std::size_t published_frames_ = 0;
  std::size_t published_bytes_ = 0;
  StreamId last_id_ = 0;
  bool draining_ = false;
};

}  // namespace plexsphere::host::http::detail
