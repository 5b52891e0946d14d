#include "tls_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace plexsphere::test_support {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& doing, const std::string& why) {
  throw std::runtime_error("TLS client: " + doing + ": " + why);
}

std::string openssl_words() {
  const unsigned long error = ERR_peek_last_error();
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  std::string words = text != nullptr ? text : errno != 0 ? std::strerror(errno) : "closed";
  ERR_clear_error();
  return words;
}

int number_of(TlsVersion version) {
  switch (version) {
    case TlsVersion::k1_1:
      return TLS1_1_VERSION;
    case TlsVersion::k1_2:
      return TLS1_2_VERSION;
    case TlsVersion::k1_3:
      return TLS1_3_VERSION;
  }
  return 0;
}

void set_version(SSL_CTX* context, TlsVersion version) {
  if (version == TlsVersion::k1_1) {
    // Below what Debian's OpenSSL speaks by itself: a client that insists on it.
    SSL_CTX_set_security_level(context, 0);
  }
  if (SSL_CTX_set_min_proto_version(context, number_of(version)) != 1 ||
      SSL_CTX_set_max_proto_version(context, number_of(version)) != 1) {
    fail("set the version", openssl_words());
  }
}

void set_protocols(SSL_CTX* context, const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  if (!wire.empty()) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned int>(wire.size()));
  }
}

// Writes without SIGPIPE, which a test program should not have to know of.
int quiet_write(BIO* bio, const char* data, int length) {
  BIO_clear_retry_flags(bio);
  int descriptor = -1;
  BIO_get_fd(bio, &descriptor);
  const ssize_t put = ::send(descriptor, data, static_cast<std::size_t>(length), MSG_NOSIGNAL);
  if (put < 0 && BIO_sock_should_retry(static_cast<int>(put)) != 0) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(put);
}

BIO_METHOD* quiet_socket() {
  static BIO_METHOD* const method = [] {
    const BIO_METHOD* socket = BIO_s_socket();
    BIO_METHOD* made = BIO_meth_new(
        BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "quiet socket");
    BIO_meth_set_read(made, BIO_meth_get_read(socket));
    BIO_meth_set_write(made, quiet_write);
    BIO_meth_set_ctrl(made, BIO_meth_get_ctrl(socket));
    BIO_meth_set_create(made, BIO_meth_get_create(socket));
    BIO_meth_set_destroy(made, BIO_meth_get_destroy(socket));
    return made;
  }();
  return method;
}

bool wait_for(int descriptor, short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd waiting{descriptor, events, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<long>(left, 0)));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socket_address(const std::string& text, std::uint16_t port) {
  SocketAddress out;
  if (auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
      ::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    out.size = sizeof(sockaddr_in);
  } else if (auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
             ::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    out.size = sizeof(sockaddr_in6);
  } else {
    fail("connect", "'" + text + "' is no numeric address");
  }
  return out;
}

bool comes_from(int descriptor, const std::string& source) {
  if (source.empty()) {
    return true;
  }
  const auto address = socket_address(source, 0);
  return ::bind(descriptor, address.get(), address.size) == 0;
}

}  // namespace

int connect_plain(const std::string& address, std::uint16_t port, int receive_buffer,
                  const std::string& source) {
  const auto target = socket_address(address, port);
  const int descriptor = ::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  if (descriptor < 0 || !comes_from(descriptor, source) ||
      ::connect(descriptor, target.get(), target.size) != 0) {
    const int error = errno;
    ::close(descriptor);
    fail("connect to " + address + " port " + std::to_string(port), std::strerror(error));
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return descriptor;
}

TlsClientContext::TlsClientContext(const TlsClientOptions& options)
    : options_(options), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  SSL_CTX* const context = context_.get();
  if (context == nullptr) {
    fail("make a context", openssl_words());
  }
  if (options.version) {
    set_version(context, *options.version);
  } else {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  }
  set_protocols(context, options.protocols);
  if (!options.authority.empty()) {
    if (SSL_CTX_load_verify_locations(context, options.authority.c_str(), nullptr) != 1) {
      fail("read " + options.authority.string(), openssl_words());
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

std::string TlsClientContext::hello() const {
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
  BIO* const said = ssl ? BIO_new(BIO_s_mem()) : nullptr;
  if (said == nullptr) {
    fail("hello", "no memory");
  }
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), said);  // owns both
  SSL_connect(ssl.get());                              // has nobody to hear from, so it stops there
  const char* bytes = nullptr;
  const long size = BIO_get_mem_data(said, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

void TlsClient::Free::operator()(ssl_st* ssl) const noexcept {
  SSL_free(ssl);
}

TlsClient::TlsClient(const TlsClientContext& context, const std::string& address,
                     std::uint16_t port)
    : TlsClient(context, connect_plain(address, port, context.options_.receive_buffer)) {}

TlsClient::TlsClient(const TlsClientContext& context, int descriptor)
    : context_(context.context_), timeout_(context.options_.timeout), descriptor_(descriptor) {
  try {
    start();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

TlsClient::~TlsClient() {
  if (descriptor_ >= 0) {
    ssl_.reset();
    ::close(descriptor_);
  }
}

TlsClient::TlsClient(TlsClient&& other) noexcept
    : context_(std::move(other.context_)),
      timeout_(other.timeout_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      ssl_(std::move(other.ssl_)) {}

TlsClient& TlsClient::operator=(TlsClient&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(timeout_, other.timeout_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(ssl_, other.ssl_);
  return *this;
}

void TlsClient::start() {
  ssl_.reset(SSL_new(context_.get()));
  BIO* const bio = ssl_ ? BIO_new(quiet_socket()) : nullptr;
  if (bio == nullptr) {
    fail("start", "no memory");
  }
  BIO_set_fd(bio, descriptor_, BIO_NOCLOSE);
  SSL_set_bio(ssl_.get(), bio, bio);
  ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
  finish_step("handshake", [this] { return SSL_connect(ssl_.get()); });
}

// Repeats `step` until it is done (> 0) or the other end has said goodbye (0).
template <typename Step>
int TlsClient::finish_step(const char* doing, Step step) {
  const auto deadline = Clock::now() + timeout_;
  while (true) {
    ERR_clear_error();
    errno = 0;
    const int result = step();
    if (result > 0) {
      return result;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) {
      return 0;
    }
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
      fail(doing, openssl_words());
    }
    if (!wait_for(descriptor_, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) {
      fail(doing, "timed out");
    }
  }
}

void TlsClient::send(std::string_view data) {
  while (!data.empty()) {
    const int most = static_cast<int>(std::min<std::size_t>(data.size(), 1 << 30));
    const int put = finish_step("send", [&] { return SSL_write(ssl_.get(), data.data(), most); });
    data.remove_prefix(static_cast<std::size_t>(put));
  }
}

std::string TlsClient::receive(std::size_t most) {
  std::string bytes(most, '\0');
  const int got = finish_step(
      "receive", [&] { return SSL_read(ssl_.get(), bytes.data(), static_cast<int>(most)); });
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

std::string TlsClient::receive_exactly(std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const auto more = receive(size - bytes.size());
    if (more.empty()) {
      fail("receive", "ended after " + std::to_string(bytes.size()) + " bytes");
    }
    bytes += more;
  }
  return bytes;
}

std::string TlsClient::receive_until(std::string_view mark) {
  std::string bytes;
  while (bytes.find(mark) == std::string::npos) {
    const auto more = receive();
    if (more.empty()) {
      fail("receive", "ended before what was waited for");
    }
    bytes += more;
  }
  return bytes;
}

std::string TlsClient::peer_serial() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      SSL_get1_peer_certificate(ssl_.get()), X509_free);
  if (!certificate) {
    return {};
  }
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate.get()), nullptr), BN_free);
  char* text = BN_bn2hex(number.get());
  std::string serial = text;
  OPENSSL_free(text);
  return serial;
}

std::string TlsClient::version() const {
  return SSL_get_version(ssl_.get());
}

std::string TlsClient::cipher() const {
  return SSL_get_cipher_name(ssl_.get());
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

void TlsClient::update_keys() {
  if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED) != 1) {
    fail("update keys", openssl_words());
  }
  finish_step("update keys", [this] { return SSL_do_handshake(ssl_.get()); });
}

void TlsClient::finish() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

void TlsClient::abort() noexcept {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ssl_.reset();
  ::close(std::exchange(descriptor_, -1));
}

}  // namespace plexsphere::test_support
