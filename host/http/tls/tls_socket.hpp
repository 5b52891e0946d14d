// The serving side of a TLS connection behind Poco's socket interface, never blocking.
//
// It keeps to what a caller of a plain socket in edge-triggered epoll relies on, so that engine and
// hub need not know which kind they hold:
//   * -1 from receiveBytes means that the kernel has no more bytes for us. Nothing decrypted is
//   left
//     inside OpenSSL then, so waiting for the next edge cannot miss anything. Whoever stops before
//     -1 must come back by itself (or ask available()).
//   * -1 from sendBytes, or fewer bytes than given, means that the kernel took no more.
//   * Either direction may have to move bytes in the other one (TLS 1.3 key updates, alerts).
//     Register EPOLLIN | EPOLLOUT | EPOLLET once and retry whatever is unfinished in both
//     directions upon any event; then nobody needs to know which direction it was that had to wait.
// One rule comes with TLS: a send that gave -1, or took less than it was given, has the beginning
// of the rest encrypted already. Repeat it with the same bytes (at another place in memory if you
// like, with more behind them if there are more) before sending anything else.
//
// Known limit of OpenSSL 3.0: a client that asks for new keys twice (TLS 1.3) while one and the
// same send is blocked breaks its connection ("bad length").
//
// Thread safety: one thread at a time, not always the same one. That includes close and shutdown;
// to cut a connection from another thread use ::shutdown on its descriptor.
// Ownership: reference-counted by Poco::Net::Socket; shares the accepted socket whose descriptor it
// uses, so the descriptor closes with the last of the two.
// Invariant: after a fatal error the connection speaks no more TLS, close_notify included.
#pragma once

#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace plexsphere::host::http::tls {

class TlsSocketImpl final : public Poco::Net::StreamSocketImpl {
 public:
  // Shares `context`. Cheap: OpenSSL's state is made when the handshake begins.
  TlsSocketImpl(const Poco::Net::StreamSocket& accepted, ssl_ctx_st* context);

  enum class Handshake : unsigned char { kDone, kBlocked, kFailed };
  // Goes on with the handshake as far as it goes without blocking. kBlocked: upon the next event of
  // either direction. kFailed is for good; failure() says why.
  Handshake handshake() noexcept;
  // What broke the connection, in OpenSSL's or the system's words; empty while it is sound.
  const std::string& failure() const noexcept { return failure_; }

  // Whether the first record of the client has arrived as a whole, or something that is no such
  // record, or the end. Before that a handshake would get nowhere, but hold 40 KiB for it.
  bool hello_arrived() const noexcept;

  // All below require that the handshake is done.
  // These give the bytes moved (> 0), 0 at the end of the stream (close_notify or FIN), -1 when
  // they would block, and throw Poco::Net::NetException (a Poco::IOException) when the connection
  // is broken. No flags but MSG_NOSIGNAL and MSG_DONTWAIT, which hold in any case.
  int receiveBytes(void* buffer, int length, int flags = 0) override;
  int sendBytes(const void* buffer, int length, int flags = 0) override;
  // As above. Small buffers share a TLS record.
  int sendBytes(const Poco::Net::SocketBufVec& buffers, int flags = 0) override;
  // Bytes that can be received without asking the kernel; 1 when OpenSSL holds some that are not
  // decrypted yet (they may turn out to be less than a record).
  int available() override;
  bool poll(const Poco::Timespan& timeout, int mode) override;

  // Each sends close_notify first if that is possible at once.
  void shutdownSend() override;
  void shutdown() override;
  void close() override;

  bool secure() const override { return true; }
  // Throws Poco::NotImplementedException for true: there is no blocking mode.
  void setBlocking(bool blocking) override;

  // What would go around TLS throws Poco::NotImplementedException.
  int receiveBytes(Poco::Net::SocketBufVec& buffers, int flags = 0) override;
  int receiveBytes(Poco::Buffer<char>& buffer, int flags = 0,
                   const Poco::Timespan& timeout = 100000) override;
  void sendUrgent(unsigned char data) override;
  Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress& client) override;

  // What OpenSSL's transport below (a BIO) works on.
  struct Wire {
    int descriptor = -1;
    bool dry = false;    // the last receive found nothing
    bool ended = false;  // the other end sends no more
  };

 protected:
  ~TlsSocketImpl() override;

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const noexcept;
    void operator()(ssl_st* ssl) const noexcept;
  };
  bool begin() noexcept;
  void require_sound() const;
  // Poco counts references inside its own library, where ThreadSanitizer does not see that the last
  // use comes before the destruction. This says it where it sees.
  struct Use {
    std::atomic<bool>& mark;
    ~Use() { mark.store(true, std::memory_order_release); }
  };
  int receive_once(void* buffer, int length);
  [[noreturn]] void fail(int error, const char* doing);
  void note_failure(int error);
  void say_goodbye() noexcept;

  Poco::Net::StreamSocket accepted_;
  Wire wire_;
  std::unique_ptr<ssl_ctx_st, Free> context_;  // until the handshake begins
  std::unique_ptr<ssl_st, Free> ssl_;          // from then on
  std::string failure_;
  bool established_ = false;
  bool send_waits_ = false;  // OpenSSL holds a record that the kernel did not take
  bool said_goodbye_ = false;
  std::atomic<bool> used_{false};
};

}  // namespace plexsphere::host::http::tls
