#include "bench/support/publisher.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "bench/support/crowd.hpp"
#include "bench/support/http_answer.hpp"

namespace plexsphere::bench {

namespace {

constexpr int kPatienceMs = 10'000;

std::string read_answer(ClientSocket& socket) {
  std::string answer;
  std::array<char, 4096> chunk;
  while (answer_size(answer) == 0) {
    pollfd waiting{.fd = socket.fd(), .events = POLLIN, .revents = 0};
    const int got = socket.receive(chunk);
    if (got == 0 || (got < 0 && ::poll(&waiting, 1, kPatienceMs) <= 0)) {
      throw std::runtime_error("no answer to a publish request");
    }
    answer.append(chunk.data(), static_cast<std::size_t>(std::max(got, 0)));
  }
  return answer;
}

}  // namespace

std::string subscribe_request(const std::string& channel) {
  return "GET /v1/good/stream?channel=" + channel +
         " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
}

Publisher::Publisher(const Endpoint& host, std::string channel)
    : channel_(std::move(channel)), socket_(host) {}

std::chrono::steady_clock::time_point Publisher::publish(std::uint32_t number, std::size_t bytes) {
  const std::string request = "POST /v1/good/publish?channel=" + channel_ +
                              " HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                              "Content-Length: " +
                              std::to_string(bytes) + "\r\n\r\n" + event_payload(number, bytes);
  const auto sent = std::chrono::steady_clock::now();
  if (!socket_.send(request)) {
    throw std::runtime_error("a publish request was not sent");
  }
  const std::string answer = read_answer(socket_);
  if (!answer.starts_with("HTTP/1.1 2")) {
    throw std::runtime_error("publish was answered " + answer.substr(0, answer.find('\r')));
  }
  return sent;
}

}  // namespace plexsphere::bench
