// A client's connection that is kept between requests, as a balancer keeps its own.
#pragma once

#include <cstdint>
#include <string>

#include "support/wire_client.hpp"

namespace plexsphere::soak {

// Where a replica listens on 127.0.0.1; 0: nowhere.
struct Ports {
  std::uint16_t plain = 0;
  std::uint16_t tls = 0;
};

// Owns one connection. For one thread at a time.
class KeptConnection {
 public:
  // Throws std::runtime_error when it is refused.
  explicit KeptConnection(std::uint16_t port) : client_(port) {}
  // Over TLS, believing any certificate.
  KeptConnection(std::uint16_t port, const test_support::TlsClientContext& context)
      : client_(port, context) {}

  struct Answer {
    int status = 0;
    std::string body;
    bool keeps = false;  // another request may follow
  };
  // One GET. Throws std::runtime_error when no whole answer comes in time; the connection is then
  // of no further use.
  Answer get(const std::string& target);

 private:
  test_support::WireClient client_;
};

}  // namespace plexsphere::soak
