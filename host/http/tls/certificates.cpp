#include "host/http/tls/certificates.hpp"

#include <openssl/ssl.h>

#include <mutex>
#include <string_view>
#include <utility>

#include "host/http/tls/pem.hpp"
#include "host/http/tls/tls_socket.hpp"

namespace plexsphere::host::http::tls {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using ContextPointer = std::unique_ptr<SSL_CTX, FreeContext>;

// TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";

constexpr std::string_view kHttp11 = "http/1.1";

// RFC 7301. A client that offers only what we do not speak gets no choice rather than an alert: it
// may go on with HTTP/1.1, which is what is spoken without a choice.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_length,
                    const unsigned char* offered, unsigned int offered_length, void*) {
  for (unsigned int at = 0; at < offered_length;) {
    const unsigned int length = offered[at];
    const unsigned char* name = offered + at + 1;
    at += 1 + length;
    if (at <= offered_length &&
        std::string_view(reinterpret_cast<const char*>(name), length) == kHttp11) {
      *chosen = name;
      *chosen_length = static_cast<unsigned char>(length);
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_NOACK;
}

bool set_protocol(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   SSL_OP_CLEANSE_PLAINTEXT |
                                   // HTTP frames its messages itself, so a FIN without
                                   // close_notify truncates nothing unnoticed.
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(context, kCiphers12) == 1 &&
         SSL_CTX_set1_groups_list(context, kGroups) == 1;
}

void set_economy(SSL_CTX* context) {
  // No buffers for connections that are idle.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // OpenSSL would go on reading past records without data for as long as there are any;
  // TlsSocketImpl does that with a bound.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  // Resumption by tickets, which the clients keep. The server keeps nothing.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  // One system call for a record instead of two; the buffer is released all the same.
  SSL_CTX_set_read_ahead(context, 1);
}

Status use_pair(SSL_CTX* context, KeyPair& pair, const CertificateFiles& files) {
  bool taken = SSL_CTX_use_certificate(context, pair.leaf.get()) == 1 &&
               SSL_CTX_use_PrivateKey(context, pair.key.get()) == 1;
  for (const auto& certificate : pair.chain) {
    taken = taken && SSL_CTX_add1_chain_cert(context, certificate.get()) == 1;
  }
  if (taken) {
    return {};
  }
  return {Code::kFailedPrecondition, "TLS certificate '" + files.certificate.string() +
                                         "' cannot be used: " + take_openssl_error()};
}

Result<ContextPointer> make_context(KeyPair& pair, const CertificateFiles& files) {
  ContextPointer context(SSL_CTX_new(TLS_server_method()));
  if (!context || !set_protocol(context.get())) {
    return Status(Code::kInternal, "OpenSSL refuses the TLS settings: " + take_openssl_error());
  }
  set_economy(context.get());
  if (Status used = use_pair(context.get(), pair, files); !used) {
    return used;
  }
  return context;
}

}  // namespace

struct Certificates::Impl {
  const CertificateFiles files;

  mutable std::mutex mutex;
  ContextPointer context;      // guarded by mutex; sockets hold references of their own
  std::int64_t not_after = 0;  // guarded by mutex

  explicit Impl(CertificateFiles from) : files(std::move(from)) {}
};

Result<std::shared_ptr<Certificates>> Certificates::load(CertificateFiles files) {
  std::shared_ptr<Certificates> certificates(
      new Certificates(std::make_unique<Impl>(std::move(files))));
  if (Status loaded = certificates->reload(); !loaded) {
    return loaded;
  }
  return certificates;
}

Certificates::Certificates(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Certificates::~Certificates() = default;

Status Certificates::reload() {
  auto pair = read_key_pair(impl_->files);
  if (!pair) {
    return pair.status();
  }
  auto context = make_context(*pair, impl_->files);
  if (!context) {
    return context.status();
  }
  const std::lock_guard lock(impl_->mutex);
  impl_->context.swap(*context);
  impl_->not_after = pair->not_after;
  return {};
}

Poco::Net::StreamSocket Certificates::wrap(const Poco::Net::StreamSocket& accepted) const {
  ContextPointer context;
  {
    const std::lock_guard lock(impl_->mutex);
    SSL_CTX_up_ref(impl_->context.get());
    context.reset(impl_->context.get());
  }
  return Poco::Net::StreamSocket(new TlsSocketImpl(accepted, context.get()));
}

std::int64_t Certificates::not_after() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->not_after;
}

}  // namespace plexsphere::host::http::tls
