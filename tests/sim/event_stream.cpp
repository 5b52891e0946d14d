#include "sim/event_stream.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/URI.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "sim/chunks.hpp"

namespace plexsphere::sim {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto kPatience = 30s;  // for the head, and for a refusal

std::string request_for(const Poco::URI& uri, const std::string& bearer,
                        const std::string& last_event_id) {
  std::string out = "GET " + uri.getPathAndQuery() + " HTTP/1.1\r\nHost: " + uri.getAuthority() +
                    "\r\nAccept: text/event-stream\r\nCache-Control: no-cache\r\n"
                    "User-Agent: plexd/sim\r\n";
  if (!bearer.empty()) {
    out += "Authorization: Bearer " + bearer + "\r\n";
  }
  if (!last_event_id.empty()) {
    out += "Last-Event-ID: " + last_event_id + "\r\n";
  }
  return out + "\r\n";
}

}  // namespace

// On a bare socket: an HTTP client would wait for the next chunk to know that the last is whole.
class EventStream::Connection {
 public:
  Connection(const Poco::URI& uri, const std::string& bearer, const std::string& last_event_id)
      : socket_(Poco::Net::SocketAddress(uri.getHost(), uri.getPort())) {
    const std::string request = request_for(uri, bearer, last_event_id);
    socket_.sendBytes(request.data(), static_cast<int>(request.size()));
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      receive_patiently();
    }
    std::istringstream head(unread_.substr(0, end + 4));
    answer_.read(head);
    unread_.erase(0, end + 4);
  }

  int status() const { return answer_.getStatus(); }

  // A body that has an end.
  std::string whole() {
    const auto length = answer_.hasContentLength() ? answer_.getContentLength() : 0;
    while (unread_.size() < static_cast<std::size_t>(length)) {
      receive_patiently();
    }
    return unread_;
  }

  // What has come of a body without end, once there is something; nothing when the time is up.
  // Throws when it has ended.
  std::optional<std::string> some(std::chrono::milliseconds patience) {
    if (unread_.empty() && !receive(patience)) {
      return std::nullopt;
    }
    const std::string bytes = std::exchange(unread_, {});
    if (!answer_.getChunkedTransferEncoding()) {
      return bytes;
    }
    std::string text = chunks_.feed(bytes);
    if (text.empty() && chunks_.ended()) {
      throw std::runtime_error("the event stream has ended");
    }
    return text;
  }

 private:
  bool receive(std::chrono::milliseconds patience) {
    const Poco::Timespan limit(static_cast<Poco::Timespan::TimeDiff>(patience.count()) * 1000);
    if (!socket_.poll(limit, Poco::Net::Socket::SELECT_READ)) {
      return false;
    }
    std::array<char, 16384> buffer;
    const int got = socket_.receiveBytes(buffer.data(), static_cast<int>(buffer.size()));
    if (got <= 0) {
      throw std::runtime_error("the event stream has ended");
    }
    unread_.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  void receive_patiently() {
    if (!receive(kPatience)) {
      throw std::runtime_error("the event stream has no answer");
    }
  }

  Poco::Net::StreamSocket socket_;
  Poco::Net::HTTPResponse answer_;
  std::string unread_;
  ChunkDecoder chunks_;
};

EventStream::EventStream(const std::string& base, const std::string& path,
                         const std::string& bearer, const std::string& last_event_id) {
  try {
    connection_ = std::make_unique<Connection>(Poco::URI(base + path), bearer, last_event_id);
    if (const int status = connection_->status(); status != 200) {
      const auto problem = nlohmann::json::parse(connection_->whole(), nullptr, false);
      refusal_ = {status, problem.is_object() ? problem.value("code", "") : ""};
    }
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("GET " + path + ": " + error.displayText());
  }
}

EventStream::~EventStream() = default;
EventStream::EventStream(EventStream&& other) noexcept = default;
EventStream& EventStream::operator=(EventStream&& other) noexcept = default;

std::vector<SseEvent> EventStream::events(std::chrono::milliseconds patience) {
  if (refusal_) {
    return {};
  }
  std::vector<SseEvent> out;
  const auto limit = Clock::now() + patience;
  const auto left = [&] {
    return std::max(0ms, std::chrono::ceil<std::chrono::milliseconds>(limit - Clock::now()));
  };
  try {
    while (out.empty()) {
      const auto text = connection_->some(left());
      if (!text) {
        break;
      }
      out = parser_.feed(*text);
    }
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("the event stream broke: " + error.displayText());
  }
  return out;
}

}  // namespace plexsphere::sim
