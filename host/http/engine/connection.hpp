// One client connection of the engine.
//
// Who may touch it: while `busy` is false, the loop's thread; from the moment a request was handed
// to a worker until its answer is written, whoever completes that request. The hand-overs go
// through a lock or through `busy`, so nothing else needs one.
//
// Ownership: shared by the loop and by the request under way.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "host/http/engine.hpp"
#include "host/http/engine/buffer_budget.hpp"
#include "host/http/engine/timer_wheel.hpp"
#include "host/http/wire/chunked.hpp"
#include "host/http/wire/head.hpp"

namespace plexsphere::host::http::engine {

// A body that has not arrived whole. Only while there is one, so that idle connections stay small.
struct PartialBody {
  std::string raw_head;
  wire::Head facts;  // its views point into raw_head
  Plan plan;
  std::string body;
  BufferShare share;           // for `body`
  std::uint64_t received = 0;  // raw bytes
  bool overflow = false;       // beyond the plan's limit: what comes is dropped
  wire::ChunkedDecoder chunks;
};

enum class Phase : unsigned char {
  kReading,    // waits for a request, or for the rest of one
  kFlushing,   // an answer that the kernel did not take at once
  kLingering,  // answered and closed for sending; reads and drops, so that the answer is not lost
};

struct Connection : WheelEntry,
                    boost::intrusive::list_base_hook<boost::intrusive::tag<struct AllConnections>>,
                    std::enable_shared_from_this<Connection> {
  using Clock = std::chrono::steady_clock;

  explicit Connection(Poco::Net::StreamSocket s) : socket(std::move(s)) {}

  Poco::Net::StreamSocket socket;
  std::string peer;
  std::shared_ptr<void> slot;
  std::shared_ptr<Connection> self;  // the loop's share, until it drops the connection

  std::atomic<bool> busy{false};      // a request is with a worker or a handler
  std::atomic<bool> readable{false};  // the kernel may have bytes that were not read
  std::atomic<bool> gone{false};      // dropped by the loop; an answer has nowhere to go

  Phase phase = Phase::kReading;
  bool keep_after_flush = false;
  bool unsettled = false;  // counted as such by the loop
  bool tls = false;
  bool served = false;         // at least one request has come over it
  bool turned_away = false;    // has no slot; is only told so
  bool leaving = false;        // its deadline is that of the end: bytes do not postpone it
  bool pipelined = false;      // `in` came behind a request and was not looked at since
  std::uint64_t dropped = 0;   // bytes read and dropped while lingering
  Clock::time_point deadline;  // of the present phase
  Clock::time_point began;     // when the present request or flush began
  std::size_t scanned = 0;     // of `in`, by check_head
  std::string in;              // bytes read and not used
  std::string out;             // bytes to be written, from out_at on
  std::size_t out_at = 0;
  std::size_t taken = 0;  // of `out`, by the client, when last looked at
  std::unique_ptr<PartialBody> partial;
};

}  // namespace plexsphere::host::http::engine
