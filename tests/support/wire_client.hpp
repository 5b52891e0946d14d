// A client that sends exactly the bytes it is told to, plain or over TLS, and reads answers one by
// one: for tests about what is on the wire, where an HTTP library would be too well-behaved.
//
// Thread safety: one thread at a time. Ownership: owns its connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http_client.hpp"
#include "tls_client.hpp"

namespace plexsphere::test_support {

// Every member that waits throws std::runtime_error when the time is up, or when the connection
// breaks where bytes of an answer are missing.
class WireClient {
 public:
  // Connects to 127.0.0.1, from `source` or from where the system chooses. A receive buffer of 0
  // bytes is the system's.
  explicit WireClient(std::uint16_t port,
                      std::chrono::milliseconds timeout = std::chrono::seconds(10),
                      int receive_buffer = 0, const std::string& source = {});
  // The same, and makes the handshake; the time-out is the context's.
  WireClient(std::uint16_t port, const TlsClientContext& context);
  // Over a connection whose handshake is done.
  explicit WireClient(TlsClient secure);
  ~WireClient();
  WireClient(WireClient&& other) noexcept;
  WireClient& operator=(WireClient&& other) noexcept;
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;

  // In one piece: over TLS one record up to 16 KiB. Whether the other end was still there to take
  // it.
  bool send(std::string_view bytes);
  // A byte a call.
  bool send_byte_by_byte(std::string_view bytes);
  // Nothing more is sent; answers are still read.
  void finish();
  // Ends with RST. No other call but the destructor's after it.
  void reset() noexcept;

  // The next answer, interim ones included; nullopt when the connection ends before it begins. A
  // body is as long as Content-Length says, or its chunks; without either there is none. The answer
  // to a HEAD has none either.
  [[nodiscard]] std::optional<HttpResponse> answer(bool to_head = false);
  // All answers until the connection ends.
  [[nodiscard]] std::vector<HttpResponse> answers();
  // The head of an answer whose body is a stream.
  [[nodiscard]] std::optional<HttpResponse> head();
  // Reads until `mark` has come in what is not read yet, and takes everything up to it. False when
  // the connection ended first.
  bool skip_past(std::string_view mark);
  // The same, and gives what it took. Throws when the connection ended first.
  [[nodiscard]] std::string take_past(std::string_view mark);
  // Waits for some bytes and drops what there is; how many. 0 at the end.
  std::size_t take_some();
  // Everything until the connection ends in whatever way.
  [[nodiscard]] std::string rest();

  [[nodiscard]] int descriptor() const;
  // Null on plain TCP.
  [[nodiscard]] const TlsClient* tls() const { return std::get_if<TlsClient>(&connection_); }

 private:
  bool more();  // reads something; false at the end
  std::optional<std::size_t> end_of(std::string_view mark);
  std::string take(std::size_t size);
  std::string take_chunks();

  std::variant<int, TlsClient> connection_;
  std::chrono::milliseconds timeout_{0};
  std::string unread_;
};

}  // namespace plexsphere::test_support
