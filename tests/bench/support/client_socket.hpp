// One client connection to a server on this machine, plain or TLS, as the clients of the benchmarks
// hold thousands of them.
//
// Not thread-safe. Owns its descriptor and TLS session.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

typedef struct ssl_st SSL;

namespace plexsphere::bench {

struct Endpoint {
  std::uint16_t port = 0;
  bool tls = false;  // any certificate is taken: it is the benchmark's own
  // Last number of the client's address 127.0.0.N: a server port can be met from each address by as
  // many connections as there are ephemeral ports.
  std::uint8_t source = 1;
};

class ClientSocket {
 public:
  // Connects and, over TLS, shakes hands; both block. Then the socket no longer does. Throws
  // std::runtime_error or std::system_error.
  explicit ClientSocket(const Endpoint& endpoint);
  ~ClientSocket();
  ClientSocket(ClientSocket&& other) noexcept;
  ClientSocket& operator=(ClientSocket&& other) noexcept;
  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  int fd() const { return fd_; }
  // Bytes read; 0 when the server has closed or broken the connection, -1 when there is nothing
  // yet.
  int receive(std::span<char> into);
  // For requests that fit the socket's empty send buffer: false when not all of it was taken.
  bool send(std::string_view bytes);

 private:
  int fd_ = -1;
  SSL* ssl_ = nullptr;
};

}  // namespace plexsphere::bench
