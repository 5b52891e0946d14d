#include "host/http/engine/response_bytes.hpp"

#include <Poco/Net/HTTPResponse.h>

#include <ctime>
#include <ostream>
#include <streambuf>

namespace plexsphere::host::http::engine {
namespace {

namespace net = Poco::Net;

constexpr std::size_t kUsualHead = 512;

// Writes into a string, without the copy that taking the text of an ostringstream makes.
class StringSink final : public std::streambuf {
 public:
  explicit StringSink(std::string& out) : out_(out) {}

 private:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    out_.append(bytes, static_cast<std::size_t>(count));
    return count;
  }
  int_type overflow(int_type byte) override {
    out_.push_back(static_cast<char>(byte));
    return byte;
  }

  std::string& out_;
};

// RFC 9110, 5.6.7; made once a second and thread.
const std::string& date_text() {
  thread_local std::string text;
  thread_local std::time_t made = 0;
  const std::time_t now = std::time(nullptr);
  if (now != made) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char buffer[40];
    text.assign(buffer, std::strftime(buffer, sizeof(buffer), "%a, %d %b %Y %H:%M:%S GMT", &parts));
    made = now;
  }
  return text;
}

bool has_no_body(int status) {
  return status == 204 || status == 304 || status < 200;
}

net::HTTPResponse head_of(const Response& response) {
  net::HTTPResponse out(net::HTTPMessage::HTTP_1_1,
                        static_cast<net::HTTPResponse::HTTPStatus>(response.status),
                        reason_phrase(response.status));
  out.add(net::HTTPResponse::DATE, date_text());
  for (const auto& [name, value] : response.headers) {
    out.add(name, value);
  }
  return out;
}

std::string written(const net::HTTPResponse& head, std::size_t body) {
  std::string bytes;
  bytes.reserve(kUsualHead + body);
  StringSink sink(bytes);
  std::ostream stream(&sink);
  head.write(stream);
  return bytes;
}

}  // namespace

std::string response_bytes(const Response& response, const ResponseForm& form) {
  net::HTTPResponse head = head_of(response);
  const bool bodiless = has_no_body(response.status);
  if (!bodiless) {
    head.setContentLength64(static_cast<Poco::Int64>(response.body.size()));
    if (!response.content_type.empty()) {
      head.setContentType(response.content_type);
    }
  }
  if (!form.keep_alive) {
    head.set(net::HTTPMessage::CONNECTION, "close");
  } else if (form.http10_client) {
    head.set(net::HTTPMessage::CONNECTION, "keep-alive");
  }
  const bool with_body = !bodiless && !form.head_only;
  std::string bytes = written(head, with_body ? response.body.size() : 0);
  if (with_body) {
    bytes += response.body;
  }
  return bytes;
}

std::string stream_head_bytes(const Response& response, bool chunked) {
  net::HTTPResponse head = head_of(response);
  head.setContentType(response.content_type);
  if (chunked) {
    head.setChunkedTransferEncoding(true);
  }
  head.set(net::HTTPMessage::CONNECTION, "close");
  return written(head, 0);
}

}  // namespace plexsphere::host::http::engine
