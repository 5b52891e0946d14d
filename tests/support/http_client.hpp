// A blocking HTTP client for tests: one request, one connection, the whole answer.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace plexsphere::test_support {

struct CaseInsensitiveLess {
  using is_transparent = void;
  bool operator()(std::string_view left, std::string_view right) const;
};

using HttpHeaders = std::map<std::string, std::string, CaseInsensitiveLess>;

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;
};

// Regular value, no connection kept between requests; thread-safe.
class HttpClient {
 public:
  explicit HttpClient(std::chrono::milliseconds timeout = std::chrono::seconds(10))
      : timeout_(timeout) {}

  // Sends one request to an http:// URL. Content-Length is set from `body`; headers are sent as
  // given. Throws std::runtime_error, naming the URL, when no complete answer arrives in time.
  [[nodiscard]] HttpResponse request(const std::string& method, const std::string& url,
                                     const HttpHeaders& headers = {},
                                     const std::string& body = {}) const;

 private:
  std::chrono::milliseconds timeout_;  // of connecting, and of each wait for bytes
};

}  // namespace plexsphere::test_support
