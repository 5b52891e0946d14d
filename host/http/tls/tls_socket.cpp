#include "host/http/tls/tls_socket.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "host/base/file.hpp"
#include "host/http/tls/wire_bio.hpp"

namespace plexsphere::host::http::tls {
namespace {

// How often in one call the kernel's bytes may turn out to be records without data (key updates,
// empty records), 16 KiB of them at a time. Honest clients send one key update in many gigabytes;
// without a bound, a flood of them would keep the thread that reads here for as long as it lasts.
constexpr int kMaxReadsWithoutData = 4;

// The most that fits one TLS record (RFC 8446, 5.1).
constexpr std::size_t kRecord = 16 * 1024;

void require_plain(int flags) {
  if ((flags & ~(MSG_NOSIGNAL | MSG_DONTWAIT)) != 0) {
    throw Poco::NotImplementedException("flags of a TLS socket");
  }
}

[[noreturn]] void refuse(const char* what) {
  throw Poco::NotImplementedException(what, "would go around TLS");
}

}  // namespace

void TlsSocketImpl::Free::operator()(ssl_ctx_st* context) const noexcept {
  SSL_CTX_free(context);
}

void TlsSocketImpl::Free::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}

TlsSocketImpl::TlsSocketImpl(const Poco::Net::StreamSocket& accepted, ssl_ctx_st* context)
    : accepted_(accepted), wire_{accepted.impl()->sockfd(), false, false} {
  SSL_CTX_up_ref(context);
  context_.reset(context);
  reset(wire_.descriptor);
  StreamSocketImpl::setBlocking(false);
}

TlsSocketImpl::~TlsSocketImpl() {
  static_cast<void>(used_.load(std::memory_order_acquire));
  say_goodbye();
  reset();  // the descriptor is accepted_'s to close
}

bool TlsSocketImpl::begin() noexcept {
  if (ssl_) {
    return true;
  }
  ssl_.reset(SSL_new(context_.get()));
  BIO* const wire = ssl_ ? make_wire_bio(&wire_) : nullptr;
  if (wire == nullptr) {
    ssl_.reset();
    return false;
  }
  SSL_set_bio(ssl_.get(), wire, wire);  // takes it
  SSL_set_accept_state(ssl_.get());
  context_.reset();
  return true;
}

bool TlsSocketImpl::hello_arrived() const noexcept {
  if (ssl_) {
    return true;
  }
  // RFC 8446, 5.1: content type (22 is a handshake), version, length.
  std::array<unsigned char, 5> header{};
  const ssize_t got =
      ::recv(wire_.descriptor, header.data(), header.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) {
    return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
  }
  if (got == 0 || header[0] != 22) {
    return true;
  }
  int waiting = 0;
  if (got < static_cast<ssize_t>(header.size()) ||
      ::ioctl(wire_.descriptor, FIONREAD, &waiting) != 0) {
    return false;
  }
  const int record = header[3] * 256 + header[4];
  return record > static_cast<int>(kRecord) || waiting >= record + static_cast<int>(header.size());
}

TlsSocketImpl::Handshake TlsSocketImpl::handshake() noexcept {
  const Use use{used_};
  if (established_) {
    return Handshake::kDone;
  }
  if (!failure_.empty()) {
    return Handshake::kFailed;
  }
  ERR_clear_error();
  errno = 0;
  if (!begin()) {
    failure_ = "no memory";
    return Handshake::kFailed;
  }
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
    return Handshake::kDone;
  }
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    return Handshake::kBlocked;
  }
  note_failure(error);
  return Handshake::kFailed;
}

int TlsSocketImpl::receiveBytes(void* buffer, int length, int flags) {
  const Use use{used_};
  require_plain(flags);
  require_sound();
  if (length <= 0) {
    return 0;
  }
  for (int reads = 0; reads < kMaxReadsWithoutData; ++reads) {
    wire_.dry = false;
    const int got = receive_once(buffer, length);
    // Without data although the kernel had some: those were records of another kind.
    if (got >= 0 || wire_.dry) {
      return got;
    }
    if (SSL_want_write(ssl_.get())) {
      return -1;
    }
  }
  failure_ = "too many records without data";
  throw Poco::Net::NetException("TLS receive", failure_);
}

int TlsSocketImpl::receive_once(void* buffer, int length) {
  ERR_clear_error();
  errno = 0;
  const int got = SSL_read(ssl_.get(), buffer, length);
  if (got > 0) {
    return got;
  }
  switch (const int error = SSL_get_error(ssl_.get(), got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      fail(error, "TLS receive");
  }
}

int TlsSocketImpl::sendBytes(const void* buffer, int length, int flags) {
  const Use use{used_};
  require_plain(flags);
  require_sound();
  const auto* data = static_cast<const char*>(buffer);
  int sent = 0;
  // Record after record until the kernel is full: sending less must mean that it is.
  while (sent < length) {
    ERR_clear_error();
    errno = 0;
    const int put = SSL_write(ssl_.get(), data + sent, length - sent);
    if (put > 0) {
      send_waits_ = false;
      sent += put;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), put);
    if (error != SSL_ERROR_WANT_WRITE && error != SSL_ERROR_WANT_READ) {
      fail(error, "TLS send");
    }
    send_waits_ = true;
    return sent > 0 ? sent : -1;
  }
  return sent;
}

int TlsSocketImpl::sendBytes(const Poco::Net::SocketBufVec& buffers, int flags) {
  std::array<char, kRecord> record;
  int sent = 0;
  std::size_t from = 0;  // in the buffer at hand
  for (auto buffer = buffers.begin(); buffer != buffers.end();) {
    std::size_t filled = 0;
    while (buffer != buffers.end() && filled < record.size()) {
      const std::size_t part = std::min(buffer->iov_len - from, record.size() - filled);
      if (part > 0) {
        std::memcpy(record.data() + filled, static_cast<const char*>(buffer->iov_base) + from,
                    part);
      }
      filled += part;
      from += part;
      if (from == buffer->iov_len) {
        ++buffer;
        from = 0;
      }
    }
    const int put = sendBytes(record.data(), static_cast<int>(filled), flags);
    if (put < 0) {
      return sent > 0 ? sent : -1;
    }
    sent += put;
    if (static_cast<std::size_t>(put) < filled) {
      return sent;
    }
  }
  return sent;
}

int TlsSocketImpl::available() {
  const Use use{used_};
  if (!established_) {
    return 0;
  }
  const int decrypted = SSL_pending(ssl_.get());
  return decrypted > 0 ? decrypted : SSL_has_pending(ssl_.get());
}

bool TlsSocketImpl::poll(const Poco::Timespan& timeout, int mode) {
  if ((mode & SELECT_READ) != 0 && available() > 0) {
    return true;
  }
  return StreamSocketImpl::poll(timeout, mode);
}

void TlsSocketImpl::shutdownSend() {
  say_goodbye();
  StreamSocketImpl::shutdownSend();
}

void TlsSocketImpl::shutdown() {
  say_goodbye();
  StreamSocketImpl::shutdown();
}

void TlsSocketImpl::close() {
  const Use use{used_};
  say_goodbye();
  wire_.descriptor = -1;
  reset();
  accepted_.close();
}

void TlsSocketImpl::setBlocking(bool blocking) {
  if (blocking) {
    throw Poco::NotImplementedException("a TLS socket that blocks");
  }
}

int TlsSocketImpl::receiveBytes(Poco::Net::SocketBufVec&, int) {
  refuse("receiveBytes(SocketBufVec)");
}

int TlsSocketImpl::receiveBytes(Poco::Buffer<char>&, int, const Poco::Timespan&) {
  refuse("receiveBytes(Buffer)");
}

void TlsSocketImpl::sendUrgent(unsigned char) {
  refuse("sendUrgent");
}

Poco::Net::SocketImpl* TlsSocketImpl::acceptConnection(Poco::Net::SocketAddress&) {
  refuse("acceptConnection");
}

void TlsSocketImpl::require_sound() const {
  if (!failure_.empty() || !established_) {
    throw Poco::Net::NetException("TLS connection is broken",
                                  failure_.empty() ? "its handshake is not done" : failure_);
  }
}

void TlsSocketImpl::fail(int error, const char* doing) {
  note_failure(error);
  throw Poco::Net::NetException(doing, failure_);
}

void TlsSocketImpl::note_failure(int error) {
  const int system = errno;
  const unsigned long reason = ERR_peek_error();
  const char* text = reason == 0 ? nullptr : ERR_reason_error_string(reason);
  if (text != nullptr) {
    failure_ = text;
  } else if (error == SSL_ERROR_SYSCALL && system != 0) {
    failure_ = error_text(system);
  } else {
    failure_ = "the other end closed the connection";
  }
  ERR_clear_error();
}

void TlsSocketImpl::say_goodbye() noexcept {
  const Use use{used_};
  // Not in the middle of a record, and not after a fatal error (which sent its own alert).
  if (said_goodbye_ || !established_ || send_waits_ || !failure_.empty() || wire_.descriptor < 0) {
    return;
  }
  said_goodbye_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace plexsphere::host::http::tls
