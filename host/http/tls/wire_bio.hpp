// OpenSSL's way to the kernel: one descriptor, never blocking, never raising SIGPIPE.
//
// Unlike BIO_s_socket it tells when the kernel ran dry, which edge-triggered epoll has to know, and
// it sends with MSG_NOSIGNAL, so that nothing depends on what the process does with SIGPIPE.
// Thread safety: that of the connection it belongs to. Ownership: see make_wire_bio.
#pragma once

#include <openssl/bio.h>

#include "host/http/tls/tls_socket.hpp"

namespace plexsphere::host::http::tls {

// The caller owns the result and keeps `wire` alive for as long. nullptr when there is no memory.
BIO* make_wire_bio(TlsSocketImpl::Wire* wire);

}  // namespace plexsphere::host::http::tls
