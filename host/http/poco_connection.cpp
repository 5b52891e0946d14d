#include "host/http/poco_connection.hpp"

#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/Timespan.h>

#include <poll.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <istream>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

namespace plexsphere::host::http::detail {
namespace {

namespace net = Poco::Net;
using Clock = std::chrono::steady_clock;

// How often an idle connection looks whether it should make room or stop.
constexpr std::chrono::milliseconds kIdleSlice{50};
// A body beyond its limit is read and dropped up to here, because closing with unread bytes resets
// the connection and the client would lose the answer that tells it why.
constexpr std::size_t kDrainLimit = 512 * 1024;

class Session : public net::HTTPServerSession {
 public:
  using HTTPServerSession::HTTPServerSession;

  bool has_buffered_bytes() const { return buffered() > 0; }
};

Poco::Timespan to_poco(std::chrono::milliseconds value) {
  return Poco::Timespan(static_cast<Poco::Timespan::TimeDiff>(value.count()) * 1000);
}

// Hands the answer from whichever thread completes the request to the connection's own thread,
// which also runs the tasks that continue the request.
class ConnectionReply final : public Reply {
 public:
  explicit ConnectionReply(std::function<void(const Response&, bool late)> write)
      : write_(std::move(write)) {}

  void send(Response response) override {
    const std::lock_guard lock(mutex_);
    if (!closed_ && !response_) {
      response_ = std::move(response);
      wake_.notify_all();
    }
  }

  void send_now(Response response) override {
    std::unique_lock lock(mutex_);
    if (closed_ || response_) {
      return;
    }
    if (worker_busy_ && std::this_thread::get_id() != worker_) {
      closed_ = true;  // the worker finds the answer sent when it comes back
      late_ = true;
      write_(response, true);
      return;
    }
    response_ = std::move(response);
    wake_.notify_all();
  }

  void run(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      tasks_.push_back(std::move(task));
      wake_.notify_all();
    }
  }

  // The connection's thread: runs `first`, then whatever is to be run, until there is an answer,
  // and writes it. False when the answer was written while the thread was away.
  bool serve(const std::function<void()>& first) {
    std::unique_lock lock(mutex_);
    worker_ = std::this_thread::get_id();
    run_unlocked(lock, first);
    while (!closed_ && !response_) {
      if (tasks_.empty()) {
        wake_.wait(lock);
        continue;
      }
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      run_unlocked(lock, task);
    }
    const bool ours = !late_;
    closed_ = true;
    if (ours) {
      const Response response = std::move(*response_);
      lock.unlock();
      write_(response, false);
    }
    return ours;
  }

 private:
  void run_unlocked(std::unique_lock<std::mutex>& lock, const std::function<void()>& task) {
    worker_busy_ = true;
    lock.unlock();
    task();
    lock.lock();
    worker_busy_ = false;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  const std::function<void(const Response&, bool late)> write_;  // called only while serve() runs
  std::thread::id worker_;
  bool worker_busy_ = false;
  bool closed_ = false;
  bool late_ = false;
  std::optional<Response> response_;
  std::deque<std::function<void()>> tasks_;
};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  });
  return text;
}

RequestHead head_of(const net::HTTPServerRequestImpl& request) {
  RequestHead head;
  head.method = request.getMethod();
  head.target = request.getURI();
  for (const auto& [name, value] : request) {
    head.headers.emplace_back(lower_case(name), value);
  }
  const auto& peer = request.clientAddress();
  if (peer.family() != net::SocketAddress::UNIX_LOCAL) {
    head.peer = peer.host().toString();
  }
  return head;
}

// RFC 9112, 6.3: both at once is how requests are smuggled.
bool framing_is_ambiguous(const RequestHead& head) {
  const auto times = [&head](std::string_view name) {
    return std::count_if(head.headers.begin(), head.headers.end(),
                         [name](const auto& entry) { return entry.first == name; });
  };
  const auto lengths = times("content-length");
  const auto encodings = times("transfer-encoding");
  return lengths > 1 || encodings > 1 || (lengths == 1 && encodings == 1);
}

// Head and body leave in one piece, so that a small answer costs one system call and is on its way
// when this returns.
void write_response(net::HTTPServerResponseImpl& out, net::StreamSocket& socket,
                    const Response& response, bool head_only) {
  out.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(response.status),
                         reason_phrase(response.status));
  for (const auto& [name, value] : response.headers) {
    out.add(name, value);
  }
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  if (!bodiless) {
    out.setContentLength64(static_cast<Poco::Int64>(response.body.size()));
    if (!response.content_type.empty()) {
      out.setContentType(response.content_type);
    }
  }
  std::ostringstream head;
  out.write(head);
  std::string bytes = head.str();
  if (!bodiless && !head_only) {
    bytes += response.body;
  }
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t portion = std::min<std::size_t>(bytes.size() - done, 1 << 30);
    done +=
        static_cast<std::size_t>(socket.sendBytes(bytes.data() + done, static_cast<int>(portion)));
  }
}

class Connection {
 public:
  Connection(ConnectionHost& host, const net::StreamSocket& socket)
      : host_(host), socket_(socket), session_(socket, host.params) {}

  void serve() {
    while (wait_for_request()) {
      ++host_.in_flight;
      bool keep = false;
      try {
        keep = serve_one();
      } catch (...) {
        keep = false;  // the client went away or sent no HTTP
      }
      --host_.in_flight;
      if (!keep) {
        return;
      }
    }
  }

 private:
  bool wait_for_request() {
    const auto deadline = Clock::now() + host_.options.idle_timeout;
    while (!session_.has_buffered_bytes()) {
      // Not Socket::poll, which makes and closes an epoll descriptor at every call.
      pollfd readable{socket_.impl()->sockfd(), POLLIN, 0};
      if (::poll(&readable, 1, static_cast<int>(kIdleSlice.count())) > 0) {
        return true;  // or closed by the other end, which the next read finds out
      }
      if (host_.stopping || Clock::now() > deadline || (served_ && host_.others_wait())) {
        return false;
      }
    }
    return true;
  }

  bool serve_one() {
    if (!served_) {
      socket_.setReceiveTimeout(to_poco(host_.options.receive_timeout));
      socket_.setSendTimeout(to_poco(host_.options.receive_timeout));
      served_ = true;
    }
    net::HTTPServerResponseImpl response(session_);
    std::optional<net::HTTPServerRequestImpl> request;
    try {
      request.emplace(response, session_, host_.params.get());
    } catch (const net::NoMessageException&) {
      return false;
    } catch (const net::MessageException&) {
      return refuse(response);
    }
    response.setVersion(request->getVersion());
    response.setDate(Poco::Timestamp());
    Request incoming;
    incoming.head = head_of(*request);
    if (framing_is_ambiguous(incoming.head)) {
      return refuse(response);
    }
    bool keep = request->getKeepAlive();
    if (request->getExpectContinue()) {
      response.sendContinue();
    }
    if (!read_body(*request, incoming)) {
      return refuse(response);
    }
    keep = keep && !incoming.body_overflow;
    return answer(response, std::move(incoming), keep);
  }

  bool answer(net::HTTPServerResponseImpl& response, Request incoming, bool keep) {
    const bool head_only = incoming.head.method == "HEAD";
    bool kept = false;
    const auto reply = std::make_shared<ConnectionReply>([&](const Response& outgoing, bool late) {
      kept = keep && !late && !host_.discourage && !host_.stopping;
      response.setKeepAlive(kept);
      write_response(response, socket_, outgoing, head_only);
      if (late) {
        socket_.shutdownSend();  // the client need not wait for the handler to come back
      }
    });
    const bool in_time = reply->serve([&] { host_.sink.handle(std::move(incoming), reply); });
    return in_time && kept;
  }

  // A request that cannot be handed on, because it is no whole request. Closes the connection.
  bool refuse(net::HTTPServerResponseImpl& response) {
    const std::string body =
        R"({"type":"https://plexsphere.com/errors/malformed-request","title":"Bad Request",)"
        R"("status":400,"detail":"The bytes received are not one well-formed HTTP request.",)"
        R"("instance":"","code":"malformed_request"})";
    response.setKeepAlive(false);
    write_response(response, socket_, {400, "application/problem+json", body, {}}, false);
    return false;
  }

  // False when the body ended early.
  bool read_body(net::HTTPServerRequestImpl& request, Request& incoming) {
    const bool chunked = request.getChunkedTransferEncoding();
    const auto length = request.getContentLength64();
    if (!chunked && length <= 0) {
      return true;
    }
    const std::size_t limit = host_.sink.body_limit(incoming.head);
    std::istream& in = request.stream();
    std::array<char, 16 * 1024> buffer{};
    std::size_t total = 0;
    while (in.good()) {
      in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
      const auto got = static_cast<std::size_t>(in.gcount());
      total += got;
      incoming.body_overflow = incoming.body_overflow || total > limit;
      if (incoming.body_overflow) {
        incoming.body.clear();
        if (total > limit + kDrainLimit) {
          return true;
        }
      } else {
        incoming.body.append(buffer.data(), got);
      }
    }
    return chunked ? !in.bad() : total == static_cast<std::size_t>(length);
  }

  ConnectionHost& host_;
  net::StreamSocket socket_;
  Session session_;
  bool served_ = false;
};

}  // namespace

void serve_connection(ConnectionHost& host, Poco::Net::StreamSocket socket) noexcept {
  try {
    Connection connection(host, socket);
    connection.serve();
    socket.shutdownSend();
  } catch (...) {
    // The connection is gone; there is nobody to tell.
  }
}

}  // namespace plexsphere::host::http::detail
