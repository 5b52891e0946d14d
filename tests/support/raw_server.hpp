// An HTTP/1.1 server for tests that shows requests as they came and answers byte by byte.
//
// Thread safety: the handler is called from one thread for each connection, several at once.
// Ownership: owns its threads and sockets; gone with its destruction, which cuts every connection.
// A handler that waits must be let go before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plexsphere::test_support {

// As it came: nothing decoded, nothing merged.
struct RawRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // names as sent, values trimmed
  std::string body;
  std::uint64_t connection = 0;  // counts from 1

  // Values of a header in order, whatever the case of its name.
  std::vector<std::string> all(std::string_view name) const;
  // Its only value; nothing when there is none or more than one.
  std::optional<std::string> only(std::string_view name) const;
};

// A part of a target with its %XX decoded; '+' stays. Throws std::invalid_argument for others than
// hex.
[[nodiscard]] std::string percent_decoded(const std::string& text);

struct RawAnswer {
  std::string bytes;   // sent as they are
  bool close = false;  // and then the connection ends
};

// Status line, Content-Length, the headers given, and the body.
RawAnswer http_answer(int status, const std::string& body = {},
                      const std::vector<std::pair<std::string, std::string>>& headers = {});

struct RawServerOptions {
  std::string address = "127.0.0.1";
  // With both TLS is spoken.
  std::filesystem::path certificate{};
  std::filesystem::path key{};
};

class RawServer {
 public:
  using Handler = std::function<RawAnswer(const RawRequest&)>;

  // Serves at a free port from now on. Throws std::runtime_error when it cannot.
  explicit RawServer(Handler handler, const RawServerOptions& options = {});
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer();

  std::uint16_t port() const;
  std::string authority() const;  // "127.0.0.1:8333"
  std::string url() const;        // "http://" or "https://" and the authority

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::test_support
