// The hub's thread: carries out the inbox, watches the connections, sends keep-alives. Internal to
// host/http/stream.
//
// Thread safety: wake and stop from any thread; the rest runs on the thread itself.
// Ownership: owns the thread and its descriptors.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "host/http/stream/directory.hpp"
#include "host/http/stream/hub_metrics.hpp"
#include "host/http/stream/keep_alive_wheel.hpp"
#include "host/telemetry/log.hpp"

namespace plexsphere::host::http::detail {

class HubLoop {
 public:
  // Throws std::system_error without descriptors.
  HubLoop(telemetry::Logger& log, telemetry::Metrics& metrics, const StreamHubOptions& options);
  // Ends every stream and the thread.
  ~HubLoop();
  HubLoop(const HubLoop&) = delete;
  HubLoop& operator=(const HubLoop&) = delete;

  Directory& directory() { return directory_; }

 private:
  class Descriptor {
   public:
    Descriptor(int descriptor, const char* what);
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return descriptor_; }

   private:
    int descriptor_;
  };
  // Its `ended` is to be called.
  struct Ended {
    const void* owner;
    std::function<void(StreamId, StreamEnd)> call;
    StreamId id;
    StreamEnd why;
  };

  void wake() const;
  void run();
  void wait();
  int timeout() const;
  void on_event(Subscriber& who, std::uint32_t events);
  void work();
  void keep_alives();
  void end_turn();

  void carry_out(Join& join);
  void carry_out(Attach& attach);
  void carry_out(Abandon& abandon);
  void carry_out(Forget& forget);
  void carry_out(Send& send);
  void carry_out(Release& release);
  void carry_out(Publish& publish);
  void carry_out(Close& close);
  void carry_out(CloseChannel& close);
  void carry_out(Withdraw& withdraw);
  void carry_out(Drain& drain);

  std::size_t fan_out();
  void settle(Subscriber& who, Taken taken);
  void say_goodbye(Subscriber& who, StreamEnd why);
  void leave_channels(Subscriber& who);
  void ended(Subscriber& who, StreamEnd why);
  std::chrono::milliseconds drain_spread() const;
  FramePtr reconnect_hint(std::chrono::milliseconds spread);

  const StreamHubOptions options_;
  const QueueLimits limits_;
  telemetry::Logger& log_;
  HubMetrics metrics_;
  Descriptor epoll_;
  Descriptor wake_;
  Directory directory_;
  KeepAliveWheel wheel_;
  const FramePtr keep_alive_ = keep_alive_frame();
  std::minstd_rand random_{std::random_device{}()};
  std::deque<Command> work_;
  std::vector<Ended> ended_;
  std::vector<SubscriberPtr> graveyard_;  // an event of this turn may still name them
  std::uint64_t sent_in_turn_ = 0;
  std::size_t attached_ = 0;
  std::size_t draining_ = 0;  // streams there were when the drain began; 0: none has
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace plexsphere::host::http::detail
