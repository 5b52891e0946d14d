// The one thread that owns every connection between requests: accepts, reads, checks, times out.
//
// Edge-triggered epoll with both directions registered once, so that a request costs no epoll_ctl.
//
// Thread safety: the loop's own thread unless said otherwise. Ownership: owns its connections,
// listeners and thread; the host of its calls must outlive it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "host/http/engine/call.hpp"
#include "host/http/engine/connection_limits.hpp"
#include "host/http/engine/intake.hpp"
#include "host/http/engine/listener.hpp"
#include "host/http/tls/certificates.hpp"
#include "host/http/tls/handshakes.hpp"

namespace plexsphere::host::http::engine {

class EventLoop {
 public:
  EventLoop(CallHost& host, const EngineOptions& options);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // [init] for a listener; the rest from any thread.
  void serve(Listener listener);
  void stop_accepting();
  void force_close();
  // Once, as the last: ends the thread and drops every connection. Answers may still be given
  // afterwards, and go nowhere.
  void end();
  // Whether no connection is in its handshake, has a part of a request, or an answer that the
  // client has not taken, and `also` holds at the same moment: asked on the loop, after the orders
  // given so far.
  bool settled(const std::function<bool()>& also);
  std::size_t connections() const noexcept { return limits_->taken(); }
  std::size_t idle() const noexcept { return idle_; }
  std::size_t accepted() const noexcept { return accepted_; }
  std::size_t refused(ConnectionLimits::Limit limit) const noexcept {
    return limits_->refused(limit);
  }
  std::size_t idled_out() const noexcept { return idled_out_; }
  std::size_t untaken() const noexcept { return untaken_; }
  std::size_t buffered_bytes() const noexcept { return intake_.buffered_bytes(); }
  const tls::Handshakes* handshakes() const noexcept { return handshakes_.get(); }

  // See CallHost. Any thread; the connection is busy.
  void answered(const std::shared_ptr<Connection>& connection, std::string bytes,
                bool keep) noexcept;
  void give_away(std::shared_ptr<Connection> connection, std::string head, bool chunked,
                 Reply::Taker taker) noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Command : unsigned char { kResume, kFlush, kEnd, kDrop, kRun };
  // For the rest of a request, or of a hello, that has half arrived at a shutdown.
  static constexpr std::chrono::seconds kLastRequests{2};
  struct Order {
    Command command;
    std::shared_ptr<Connection> connection;
    std::function<void()> run;
  };

  void run();
  void order(Command command, std::shared_ptr<Connection> connection,
             std::function<void()> run = nullptr) noexcept;
  void order_and_wait(std::function<void()> run);
  void follow_orders();
  void ring();
  void turn_wheel();
  void watch(Listener& listener, bool on, int operation);
  void ready(Connection& connection, std::uint32_t events);

  void accept_from(Listener& listener);
  void admit(Listener::Accepted accepted, bool tls);
  void shake_hands(Listener::Accepted accepted, std::shared_ptr<void> slot);
  bool all_hands_shaken() const noexcept;
  void welcome(Poco::Net::StreamSocket socket, std::string peer, std::shared_ptr<void> slot);
  Connection* take_up(Poco::Net::StreamSocket socket, std::string peer, std::shared_ptr<void> slot);
  void turn_away(Listener::Accepted accepted, bool tls, ConnectionLimits::Limit limit);
  void say_and_close(Poco::Net::StreamSocket& socket, const Response& response);
  void end_listening();
  void accept_last(Listener& listener);

  void resume(Connection& connection);
  void leave_when_idle(Connection& connection);
  void read(Connection& connection, bool to_end);
  bool use_pipelined(Connection& connection);
  bool use(Connection& connection, std::string_view bytes);
  void hand_over(Connection& connection, Intake::Whole whole);
  void refuse(Connection& connection, const Refusal& refusal);
  void flush(Connection& connection);
  void settle(Connection& connection);
  void end(Connection& connection);
  void linger(Connection& connection);
  void drop(Connection& connection) noexcept;

  void mark_unsettled(Connection& connection, bool unsettled) noexcept;
  void await_bytes(Connection& connection);
  void set_deadline(Connection& connection, Clock::time_point when);
  void due(Connection& connection, Clock::time_point now);
  void flush_due(Connection& connection, Clock::time_point now);
  Clock::time_point progress_deadline(const Connection& connection, std::uint64_t bytes) const;

  CallHost& host_;
  const EngineOptions options_;
  Intake intake_;
  std::shared_ptr<ConnectionLimits> limits_;
  FileDescriptor epoll_;
  FileDescriptor bell_;
  TimerWheel wheel_;
  boost::intrusive::list<Connection, boost::intrusive::base_hook<boost::intrusive::list_base_hook<
                                         boost::intrusive::tag<AllConnections>>>>
      all_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::shared_ptr<Connection>> graveyard_;  // dropped in this round
  std::vector<std::shared_ptr<Connection>> again_;      // had more to read than one round takes
  std::vector<std::shared_ptr<Job>> fast_jobs_;         // found in this round
  std::vector<std::shared_ptr<Job>> blocking_jobs_;
  std::vector<char> scratch_;
  Clock::time_point now_;
  Clock::time_point listen_again_;  // after the process ran out of descriptors

  std::atomic<bool> stopping_{false};
  bool ending_ = false;
  bool cut_ = false;  // by force_close
  std::size_t unsettled_ = 0;
  std::size_t turned_away_ = 0;  // and not gone yet
  std::atomic<std::size_t> accepted_{0};
  std::atomic<std::size_t> idled_out_{0};  // closed at idle_timeout
  std::atomic<std::size_t> untaken_{0};    // closed because the client did not take its answer
  std::atomic<std::size_t> idle_{0};       // as of the last look, once a second
  Clock::time_point looked_;
  std::mutex orders_mutex_;
  std::vector<Order> orders_;
  std::unique_ptr<tls::Handshakes> handshakes_;
  std::size_t handshakes_begun_ = 0;
  std::size_t handshakes_done_ = 0;  // and welcomed
  std::thread thread_;
};

}  // namespace plexsphere::host::http::engine
