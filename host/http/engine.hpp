// The HTTP engine behind the host: moves bytes and owns connections, knows no routes.
//
// The engine reads and checks a request head, asks the sink for a plan (how large a body, which
// lane), reads the body and hands the whole request to a worker of that lane together with a Reply.
// The answer may come at once or later, from any thread; a request that waits holds no worker.
//
// Thread safety: as stated per function. Ownership: the engine owns its threads and connections;
// the sink must outlive the engine.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/message.hpp"

namespace plexsphere::host::http {

struct DetachedConnection;  // host/http/stream/detached_connection.hpp
namespace tls {
class Certificates;  // host/http/tls/certificates.hpp
}

// The engine's side of one request. Any thread may call it; exactly one of send and detach is
// called, once. It stays usable (and does nothing) after the connection is gone.
class Reply {
 public:
  Reply() = default;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  virtual ~Reply() = default;

  virtual void send(Response response) = 0;
  // Gives the connection away: `taker` gets it with the head of `response` (whose body is ignored)
  // still to be written, or nullopt when the connection is gone. Called once, on the engine's loop;
  // must not block.
  using Taker = std::function<void(std::optional<DetachedConnection>)>;
  virtual void detach(Response response, Taker taker) = 0;
  // Runs `task` on a worker of the request's lane, where it may do what its lane allows. Used to go
  // on with a request after a step completed on a thread that is not the host's. Not to be called
  // after the answer.
  virtual void run(std::function<void()> task) = 0;
};

// Workers never wait for a client. kFast: few threads, for work that never waits for anything.
// kBlocking: many, for work that waits for the database.
enum class Lane : unsigned char { kFast, kBlocking };

struct Plan {
  std::size_t body_limit = 0;  // bytes of raw body; 0 for none
  Lane lane = Lane::kBlocking;
};

// A request that the engine answers itself, because it is no request, came too slowly or found no
// room. The connection closes after the answer, unless `keep` says that it need not.
struct Refusal {
  int status = 400;
  std::string_view code;                // of the problem document; static
  std::string_view detail;              // one sentence; static
  std::string_view reason;              // label of the metric; static
  std::chrono::seconds retry_after{0};  // 0: no Retry-After
};

class RequestSink {
 public:
  virtual ~RequestSink() = default;

  // Called on the loop, before the body is read. Must not block and must not throw. The views live
  // for the call.
  virtual Plan plan(std::string_view method, std::string_view target) noexcept = 0;
  // Takes a request. Called on a worker of the planned lane. Must not throw.
  virtual void handle(Request request, std::shared_ptr<Reply> reply) noexcept = 0;
  // The answer to what the engine refuses; counts and logs it. Any thread; must not block.
  virtual Response refused(const Refusal& refusal, std::string_view peer) noexcept = 0;
};

struct EngineOptions {
  std::size_t fast_workers = 2;    // threads of the fast lane
  std::size_t workers = 64;        // threads of the blocking lane
  std::size_t max_waiting = 1024;  // requests waiting for a worker of one lane; beyond it 503
  std::chrono::milliseconds max_wait{1'000};  // of a request for its worker; beyond it 503

  std::chrono::milliseconds idle_timeout{30'000};  // of a kept connection between requests
  // For a whole request from its first byte; a body earns one more second for each 16 KiB of it.
  // Also for a client to take a whole answer, by the same rule, and never that long without taking
  // any of it.
  std::chrono::milliseconds receive_timeout{15'000};

  std::size_t max_head_bytes = 16 * 1024;   // request line and headers; beyond it 431
  std::size_t max_headers = 100;            // beyond it 431
  std::size_t max_target_bytes = 8 * 1024;  // beyond it 414
  // Of request bodies, over all connections, from their first byte until the request is done with;
  // beyond it 503. Not below the largest body limit of a route, or such a body never fits.
  std::size_t max_buffered_bytes = 256 * 1024 * 1024;

  std::size_t max_connections = 16'384;  // in total, streams included; beyond it 503
  // Of one address (an IPv6 /64). Null: a quarter of max_connections, so that no single client can
  // keep the others out. 0: no such limit.
  std::optional<std::size_t> max_connections_per_address{};
  // Whether an address is exempt from the limit by address: a proxy that stands for many.
  std::function<bool(std::string_view address)> is_proxy{};

  std::shared_ptr<tls::Certificates> certificates{};    // null: no "tls:" listener. Shared with
                                                        // whoever reloads them
  std::chrono::milliseconds handshake_timeout{10'000};  // of a TLS handshake from its accept
};

// Figures for metrics, all since the engine was made unless they are levels.
struct EngineFigures {
  std::size_t connections = 0;         // level, streams included
  std::size_t idle_connections = 0;    // level
  std::size_t in_flight = 0;           // level: requests taken and not answered
  std::size_t waiting_fast = 0;        // level: requests waiting for a worker
  std::size_t waiting_blocking = 0;    // level
  std::size_t buffered_bytes = 0;      // level: of request bodies
  std::size_t accepted = 0;            // connections
  std::size_t refused_in_total = 0;    // connections over max_connections
  std::size_t refused_by_address = 0;  // over max_connections_per_address
  std::size_t closed_idle = 0;         // connections, at idle_timeout
  std::size_t closed_untaken = 0;      // their clients did not take an answer in time
  std::size_t tls_handshakes = 0;
  std::size_t tls_failures = 0;
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  // Opens a listener on "host:port", ":port" (every interface, both families), "[v6]:port" or
  // "unix:/path", each also as "tls:host:port", and serves it from now on. Port 0 takes a free one.
  // Errors name the address and the cause. [init]
  virtual Status listen(const std::string& address) = 0;
  // Serves a socket that is listening already (systemd's LISTEN_FDS) and takes ownership of it.
  // [init]
  virtual Status adopt(int descriptor, bool tls) = 0;
  // The addresses really bound, in the order of listen ("127.0.0.1:40113", "unix:/path").
  virtual std::vector<std::string> addresses() const = 0;

  // Answers carry "Connection: close" from now on, so that clients leave by themselves. Any thread.
  virtual void discourage() noexcept = 0;
  // Closes the listeners and idle connections; requests under way go on. Any thread.
  virtual void stop_accepting() noexcept = 0;
  // True when no request is under way any more; false when `deadline` came first.
  virtual bool wait_idle(std::chrono::steady_clock::time_point deadline) = 0;
  // Cuts every connection that is left, but for those given away. Any thread.
  virtual void force_close() noexcept = 0;
  // Any thread.
  virtual EngineFigures figures() const noexcept = 0;
};

}  // namespace plexsphere::host::http
