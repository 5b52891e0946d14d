// One server, one token, JSON answers. Over https:// the server's certificate is checked against
// the system's authorities (OpenSSL's SSL_CERT_FILE names others) and against the host name; there
// is no way to leave that out. Redirects are not followed: the token goes where it was sent.
//
// Not thread-safe; keeps no connection.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "host/apps/plexctl/settings.hpp"

namespace plexsphere::plexctl {

class Client {
 public:
  static constexpr std::chrono::seconds kConnectLimit{10};
  static constexpr std::chrono::seconds kAnswerLimit{35};  // each wait for bytes
  static constexpr std::size_t kBodyLimit = 16u << 20;     // bytes

  Client(Server server, Token token);

  // The body of a 2xx answer to GET `path` ("/v1/…"), members in the server's order. Throws
  // Failure: as failure_of says for other answers, `unavailable` without an answer, `failed` for a
  // server whose certificate does not hold, a body that is no JSON, or one beyond kBodyLimit.
  nlohmann::ordered_json get(const std::string& path) const;
  // The same of a body that is text.
  std::string get_text(const std::string& path) const;
  // The same for a POST without a body.
  nlohmann::ordered_json post(const std::string& path) const;

 private:
  nlohmann::ordered_json ask(const std::string& method, const std::string& path) const;
  std::string body(const std::string& method, const std::string& path, const char* accept) const;

  Server server_;
  Token token_;
};

}  // namespace plexsphere::plexctl
