// A blocking TLS client for tests and benchmarks, on bare OpenSSL, where every wait has an end.
//
// Thread safety: a TlsClientContext may be shared by threads; a TlsClient is used by one at a time.
// Ownership: a client owns its connection and shares its context.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace plexsphere::test_support {

enum class TlsVersion : unsigned char { k1_1, k1_2, k1_3 };

struct TlsClientOptions {
  // The only version that is offered; both 1.2 and 1.3 when there is none.
  std::optional<TlsVersion> version{};
  // The authority to believe, such as a test certificate itself; nobody is checked without.
  std::filesystem::path authority{};
  std::vector<std::string> protocols{};       // offered by ALPN
  std::chrono::milliseconds timeout{10'000};  // of each call below as a whole
  int receive_buffer = 0;                     // SO_RCVBUF in bytes; 0: the system's
};

// What many clients share. Make one for thousands of connections.
class TlsClientContext {
 public:
  // Throws std::runtime_error for options that OpenSSL refuses.
  explicit TlsClientContext(const TlsClientOptions& options = {});

  // The bytes that a client begins with, for one that then does not go on.
  [[nodiscard]] std::string hello() const;

 private:
  friend class TlsClient;
  TlsClientOptions options_;
  std::shared_ptr<ssl_ctx_st> context_;  // with every client
};

// Every member that talks throws std::runtime_error, saying what it was about, when the connection
// breaks or the time is up.
class TlsClient {
 public:
  // Connects to a numeric IPv4 or IPv6 address and makes the handshake.
  TlsClient(const TlsClientContext& context, const std::string& address, std::uint16_t port);
  // Makes the handshake over a stream that is connected already, and takes ownership of it.
  TlsClient(const TlsClientContext& context, int descriptor);
  ~TlsClient();
  TlsClient(TlsClient&& other) noexcept;
  TlsClient& operator=(TlsClient&& other) noexcept;
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  void send(std::string_view data);
  // At least one byte and at most `most`; empty at the other end's close_notify. Throws at an end
  // without one.
  [[nodiscard]] std::string receive(std::size_t most = 16 * 1024);
  [[nodiscard]] std::string receive_exactly(std::size_t size);
  // Everything up to and including `mark`, and whatever came along behind it.
  [[nodiscard]] std::string receive_until(std::string_view mark);

  // Hexadecimal, upper case, without leading zeros as BN_bn2hex writes it.
  [[nodiscard]] std::string peer_serial() const;
  [[nodiscard]] std::string version() const;   // "TLSv1.3"
  [[nodiscard]] std::string cipher() const;    // OpenSSL's name
  [[nodiscard]] std::string protocol() const;  // what ALPN chose; may be empty
  // Asks for new keys in both directions (TLS 1.3); sent with the next bytes, or by itself.
  void update_keys();

  // Sends close_notify and goes on receiving.
  void finish();
  // Sends RST, nothing else. No other call but the destructor's after it.
  void abort() noexcept;
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  struct Free {
    void operator()(ssl_st* ssl) const noexcept;
  };
  void start();
  template <typename Step>
  int finish_step(const char* doing, Step step);

  std::shared_ptr<ssl_ctx_st> context_;
  std::chrono::milliseconds timeout_;
  int descriptor_ = -1;
  std::unique_ptr<ssl_st, Free> ssl_;
};

// A plain TCP connection to a numeric address, blocking; the caller closes it. It comes from
// `source`, a numeric address of this machine, or from the one that the system chooses. Throws
// std::runtime_error.
[[nodiscard]] int connect_plain(const std::string& address, std::uint16_t port,
                                int receive_buffer = 0, const std::string& source = {});

}  // namespace plexsphere::test_support
