#include "fixture.hpp"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "support/wait_until.hpp"

namespace plexsphere::host::http {

Client::Client(int receive_buffer) {
  Poco::Net::ServerSocket listener(Poco::Net::SocketAddress("127.0.0.1", 0));
  if (receive_buffer > 0) {
    listener.setReceiveBufferSize(receive_buffer);  // what is accepted is not concerned; symmetry
    socket_ = Poco::Net::StreamSocket(Poco::Net::SocketAddress::IPv4);
    socket_.setReceiveBufferSize(receive_buffer);  // before connecting, or the window is announced
  }
  socket_.connect(listener.address());
  served_ = listener.acceptConnection();
  served_.setBlocking(false);
}

DetachedConnection Client::served(bool chunked, std::shared_ptr<void> slot) {
  DetachedConnection out;
  out.socket = served_;
  served_ = Poco::Net::StreamSocket();
  out.peer = "127.0.0.1";
  out.head = kHead;
  out.chunked = chunked;
  out.slot = std::move(slot);
  return out;
}

int Client::read_some(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd waiting{socket_.impl()->sockfd(), POLLIN, 0};
  if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
    return -1;
  }
  std::array<char, 65536> chunk;  // NOLINT: written before it is read
  const auto got = ::recv(waiting.fd, chunk.data(), chunk.size(), 0);
  if (got <= 0) {
    return 0;  // a reset is an end too
  }
  received_.append(chunk.data(), static_cast<std::size_t>(got));
  return static_cast<int>(got);
}

bool Client::read_until(const std::string& end) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!received_.ends_with(end)) {
    if (read_some(deadline) <= 0) {
      return false;
    }
  }
  return true;
}

bool Client::read_to_end() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const int got = read_some(deadline);
    if (got <= 0) {
      return got == 0;
    }
  }
}

std::string Client::events() const {
  std::string out;
  std::size_t at = kHead.size();
  while (at < received_.size()) {
    const std::size_t line = received_.find("\r\n", at);
    const std::size_t size = std::stoul(received_.substr(at, line - at), nullptr, 16);
    REQUIRE(received_.substr(line + 2 + size, 2) == "\r\n");
    out += received_.substr(line + 2, size);
    at = line + 2 + size + 2;
  }
  return out;
}

void Client::say(const std::string& text) {
  // What the hub no longer takes it no longer takes; the test looks at the hub.
  [[maybe_unused]] const auto sent =
      ::send(socket_.impl()->sockfd(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Client::leave() {
  socket_.close();
}

void Client::vanish() {
  socket_.setLinger(true, 0);
  socket_.close();
}

HubFixture::HubFixture(StreamHubOptions options)
    : log_("test", telemetry::Level::kInfo, log_text_), hub(log_, metrics_, options) {}

Subscription HubFixture::wanting(std::vector<std::string> channels) {
  Subscription wanted;
  wanted.owner = owner();
  wanted.channels = std::move(channels);
  wanted.ended = [this](StreamId id, StreamEnd why) {
    const std::lock_guard lock(mutex_);
    ends_[id].push_back(why);
  };
  return wanted;
}

StreamId HubFixture::reserve(Subscription wanted) {
  const auto id = hub.reserve(std::move(wanted));
  REQUIRE(id.ok());
  return *id;
}

StreamId HubFixture::open(Client& client, std::vector<std::string> channels, bool chunked) {
  const StreamId id = reserve(wanting(std::move(channels)));
  hub.attach(id, client.served(chunked));
  return id;
}

bool HubFixture::publish(const std::string& channel, const std::string& data,
                         std::uint64_t sequence) {
  return hub.publish(channel, frame_of(data, sequence)).ok();
}

Status HubFixture::send(StreamId id, const std::string& data, std::uint64_t sequence) {
  return hub.send(owner(), id, frame_of(data, sequence));
}

StreamEnd HubFixture::ended(StreamId id) {
  (void)test_support::wait_until(kPatience, [&] { return ended_calls(id) > 0; });
  const std::lock_guard lock(mutex_);
  return ends_[id].empty() ? StreamEnd::kNone : ends_[id].front();
}

std::size_t HubFixture::ended_calls(StreamId id) {
  const std::lock_guard lock(mutex_);
  return ends_[id].size();
}

double HubFixture::metric(const std::string& series) const {
  std::istringstream lines(metrics_.render());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) {
      return std::stod(line.substr(series.size() + 1));
    }
  }
  return -1;
}

FramePtr frame_of(const std::string& data, std::uint64_t sequence) {
  const std::string id = sequence == 0 ? "" : std::to_string(sequence);
  const auto frame = render({sequence, id, "", data});
  if (!frame) {  // thrown, for Catch's own checks are for its thread only
    throw std::invalid_argument(frame.status().message());
  }
  return *frame;
}

}  // namespace plexsphere::host::http
