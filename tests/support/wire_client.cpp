#include "wire_client.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace plexsphere::test_support {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLineEnd = "\r\n";

[[noreturn]] void fail(const std::string& why) {
  throw std::runtime_error("wire client: " + why);
}

void limit_waits(int descriptor, std::chrono::milliseconds timeout) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(timeout - seconds);
  const timeval limit{seconds.count(), rest.count()};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

HttpResponse parse_head(std::string_view head) {
  HttpResponse out;
  if (head.size() < 13 || head.substr(0, 9) != "HTTP/1.1 ") {
    fail("no answer begins like this: " + std::string(head.substr(0, 80)));
  }
  out.status = std::stoi(std::string(head.substr(9, 3)));
  for (head.remove_prefix(head.find(kLineEnd) + 2); !head.empty();) {
    const auto line = head.substr(0, head.find(kLineEnd));
    head.remove_prefix(line.size() + kLineEnd.size());
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) {
      fail("no header looks like this: " + std::string(line));
    }
    const bool first =
        out.headers.emplace(line.substr(0, colon), std::string(line.substr(colon + 2))).second;
    if (!first) {
      fail("a header comes twice: " + std::string(line));
    }
  }
  return out;
}

}  // namespace

WireClient::WireClient(std::uint16_t port, std::chrono::milliseconds timeout, int receive_buffer,
                       const std::string& source)
    : connection_(connect_plain("127.0.0.1", port, receive_buffer, source)), timeout_(timeout) {
  limit_waits(std::get<int>(connection_), timeout);
}

WireClient::WireClient(std::uint16_t port, const TlsClientContext& context)
    : WireClient(TlsClient(context, "127.0.0.1", port)) {}

WireClient::WireClient(TlsClient secure) : connection_(std::move(secure)) {}

WireClient::~WireClient() {
  if (const int* plain = std::get_if<int>(&connection_); plain != nullptr && *plain >= 0) {
    ::close(*plain);
  }
}

WireClient::WireClient(WireClient&& other) noexcept
    : connection_(std::exchange(other.connection_, -1)),
      timeout_(other.timeout_),
      unread_(std::move(other.unread_)) {}

WireClient& WireClient::operator=(WireClient&& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(timeout_, other.timeout_);
  std::swap(unread_, other.unread_);
  return *this;
}

int WireClient::descriptor() const {
  const auto* secure = tls();
  return secure != nullptr ? secure->descriptor() : std::get<int>(connection_);
}

bool WireClient::send(std::string_view bytes) {
  if (auto* secure = std::get_if<TlsClient>(&connection_)) {
    try {
      secure->send(bytes);
    } catch (const std::runtime_error&) {
      return false;
    }
    return true;
  }
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(std::get<int>(connection_), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool WireClient::send_byte_by_byte(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (!send(bytes.substr(i, 1))) {
      return false;
    }
  }
  return true;
}

void WireClient::finish() {
  if (auto* secure = std::get_if<TlsClient>(&connection_)) {
    secure->finish();
  }
  ::shutdown(descriptor(), SHUT_WR);
}

void WireClient::reset() noexcept {
  if (auto* secure = std::get_if<TlsClient>(&connection_)) {
    secure->abort();
    return;
  }
  const linger at_once{1, 0};
  int& plain = std::get<int>(connection_);
  ::setsockopt(plain, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  ::close(std::exchange(plain, -1));
}

bool WireClient::more() {
  if (auto* secure = std::get_if<TlsClient>(&connection_)) {
    const std::string got = secure->receive();
    unread_ += got;
    return !got.empty();
  }
  std::array<char, 64 * 1024> buffer;
  const ssize_t got = ::recv(std::get<int>(connection_), buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    fail("nothing came in " + std::to_string(timeout_.count()) + " ms; so far: " + unread_);
  }
  unread_.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return got > 0;
}

std::string WireClient::take(std::size_t size) {
  while (unread_.size() < size) {
    if (!more()) {
      fail("the connection ended within an answer, after: " + unread_);
    }
  }
  std::string out = unread_.substr(0, size);
  unread_.erase(0, size);
  return out;
}

std::string WireClient::take_chunks() {
  std::string out;
  for (;;) {
    std::size_t end = 0;
    while ((end = unread_.find(kLineEnd)) == std::string::npos) {
      if (!more()) {
        fail("the connection ended within the chunks of an answer");
      }
    }
    const std::size_t size = std::stoul(take(end + kLineEnd.size()), nullptr, 16);
    out += take(size);
    take(kLineEnd.size());
    if (size == 0) {
      return out;
    }
  }
}

std::optional<HttpResponse> WireClient::head() {
  std::size_t end = 0;
  while ((end = unread_.find(kHeadEnd)) == std::string::npos) {
    if (!more()) {
      if (!unread_.empty()) {
        fail("the connection ended within the head of an answer, after: " + unread_);
      }
      return std::nullopt;
    }
  }
  return parse_head(take(end + kHeadEnd.size()).substr(0, end + kLineEnd.size()));
}

std::optional<HttpResponse> WireClient::answer(bool to_head) {
  auto out = head();
  if (!out || to_head || out->status < 200 || out->status == 204 || out->status == 304) {
    return out;
  }
  if (const auto length = out->headers.find("Content-Length"); length != out->headers.end()) {
    out->body = take(std::stoul(length->second));
  } else if (out->headers.count("Transfer-Encoding") > 0) {
    out->body = take_chunks();
  }
  return out;
}

std::vector<HttpResponse> WireClient::answers() {
  std::vector<HttpResponse> out;
  while (auto one = answer()) {
    out.push_back(std::move(*one));
  }
  return out;
}

// Reads until `mark` has come; where it ends. None when the connection ended first.
std::optional<std::size_t> WireClient::end_of(std::string_view mark) {
  std::size_t at = 0;
  while ((at = unread_.find(mark)) == std::string::npos) {
    if (!more()) {
      return std::nullopt;
    }
  }
  return at + mark.size();
}

bool WireClient::skip_past(std::string_view mark) {
  const auto end = end_of(mark);
  unread_.erase(0, end.value_or(0));
  return end.has_value();
}

std::string WireClient::take_past(std::string_view mark) {
  const auto end = end_of(mark);
  if (!end) {
    fail("the connection ended before '" + std::string(mark) + "', after: " + unread_);
  }
  return take(*end);
}

std::size_t WireClient::take_some() {
  (void)more();
  return std::exchange(unread_, {}).size();
}

std::string WireClient::rest() {
  try {
    while (more()) {
    }
  } catch (const std::runtime_error&) {
    // Over TLS a connection may end without goodbye; the time-out shows in what is missing.
  }
  return std::exchange(unread_, {});
}

}  // namespace plexsphere::test_support
