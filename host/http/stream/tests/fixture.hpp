// A hub with clients on loopback sockets.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "host/http/stream/detached_connection.hpp"
#include "host/http/stream/hub.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::http {

inline constexpr std::chrono::seconds kPatience{20};
inline const std::string kHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

// The other end of a stream.
class Client {
 public:
  // Connects to a listener of its own; the served side is given to `attach`. A receive buffer of 0
  // is the system's.
  explicit Client(int receive_buffer = 0);

  // The served side, once.
  DetachedConnection served(bool chunked, std::shared_ptr<void> slot = nullptr);
  // Reads until everything received so far ends with `end`; false when the patience is over or the
  // connection has ended without.
  bool read_until(const std::string& end);
  // Reads until the connection ends; false when the patience is over.
  bool read_to_end();
  // Everything received so far.
  const std::string& received() const { return received_; }
  // That without its head and chunk framing. Requires whole chunks.
  std::string events() const;
  void say(const std::string& text);
  void leave();
  // Closes with a reset instead of a FIN.
  void vanish();

 private:
  // Bytes read, 0 at the end, negative when the patience is over.
  int read_some(std::chrono::steady_clock::time_point deadline);

  Poco::Net::StreamSocket socket_;
  Poco::Net::StreamSocket served_;
  std::string received_;
};

class HubFixture {
 public:
  explicit HubFixture(StreamHubOptions options = {});

  // Reserves and attaches; `ended` is noted.
  StreamId open(Client& client, std::vector<std::string> channels, bool chunked = true);
  StreamId reserve(Subscription wanted);
  Subscription wanting(std::vector<std::string> channels);
  bool publish(const std::string& channel, const std::string& data, std::uint64_t sequence = 0);
  Status send(StreamId id, const std::string& data, std::uint64_t sequence = 0);

  // How the stream ended, once; waits for it. kNone: it has not in time.
  StreamEnd ended(StreamId id);
  // How often `ended` was called for it so far.
  std::size_t ended_calls(StreamId id);
  // The value of a series, by its name and labels as rendered.
  double metric(const std::string& series) const;
  std::string logged() const { return log_text_.str(); }

  const void* owner() const { return this; }

 private:
  std::ostringstream log_text_;
  telemetry::Logger log_;
  telemetry::Metrics metrics_;
  std::mutex mutex_;
  std::map<StreamId, std::vector<StreamEnd>> ends_;

 public:
  StreamHub hub;  // last: its thread uses the rest
};

FramePtr frame_of(const std::string& data, std::uint64_t sequence = 0);

}  // namespace plexsphere::host::http
