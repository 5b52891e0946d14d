#include "host/http/tls/wire_bio.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace plexsphere::host::http::tls {
namespace {

TlsSocketImpl::Wire& wire_of(BIO* bio) {
  return *static_cast<TlsSocketImpl::Wire*>(BIO_get_data(bio));
}

int bio_read(BIO* bio, char* buffer, int length) {
  BIO_clear_retry_flags(bio);
  if (buffer == nullptr || length <= 0) {
    return 0;
  }
  auto& wire = wire_of(bio);
  ssize_t got = 0;
  do {
    got = ::recv(wire.descriptor, buffer, static_cast<std::size_t>(length), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  wire.ended = got == 0;
  wire.dry = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  if (wire.dry) {
    BIO_set_retry_read(bio);
  }
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* data, int length) {
  BIO_clear_retry_flags(bio);
  const auto& wire = wire_of(bio);
  ssize_t put = 0;
  do {
    put = ::send(wire.descriptor, data, static_cast<std::size_t>(length),
                 MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (put < 0 && errno == EINTR);
  if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    BIO_set_retry_write(bio);
  }
  return static_cast<int>(put);
}

long bio_control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;  // nothing is held back here
    case BIO_CTRL_EOF:
      return wire_of(bio).ended ? 1 : 0;
    default:
      return 0;
  }
}

BIO_METHOD* make_method() {
  BIO_METHOD* method =
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "plexsphere connection");
  if (method != nullptr) {
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
  }
  return method;
}

}  // namespace

BIO* make_wire_bio(TlsSocketImpl::Wire* wire) {
  // One for the life of the process: OpenSSL may use it until the last connection is gone.
  static BIO_METHOD* const method = make_method();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (bio != nullptr) {
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
  }
  return bio;
}

}  // namespace plexsphere::host::http::tls
