// What the host shows of itself over TLS, and the sockets that speak it.
//
// Thread safety: all members from any thread. Ownership: shared by the engine, which wraps accepted
// sockets, and by whoever reloads on SIGHUP. A socket keeps the certificate it began with.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "host/base/result.hpp"

namespace plexsphere::host::http::tls {

struct CertificateFiles {
  std::filesystem::path certificate;  // PEM, the leaf first, then its chain
  std::filesystem::path key;  // PEM, without passphrase; readable by its owner and group at most
};

class Certificates {
 public:
  // Errors name the file and the cause (cannot be read, key does not belong to the certificate, key
  // file open to others). A certificate that has expired is no error, since most clients lose less
  // by it than by a service that does not start: ask not_after and be loud about it. TLS 1.2 is the
  // least that is spoken.
  static Result<std::shared_ptr<Certificates>> load(CertificateFiles files);
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // Reads the files again, for sockets wrapped from now on. On failure the old ones stay in use.
  Status reload();
  // The serving side of a connection. The result is not blocking: its receiveBytes and sendBytes
  // give -1 when they would block, 0 at the end of the stream, and throw Poco::IOException when the
  // connection is broken (tls_socket.hpp says more). The handshake is still to be made (Handshakes
  // does it). The result shares the descriptor of `accepted`, which is not to be used, or closed,
  // by itself from now on; dropping it is fine.
  Poco::Net::StreamSocket wrap(const Poco::Net::StreamSocket& accepted) const;
  // Seconds since 1970 at which the certificate in use (the leaf) expires; may be in the past.
  std::int64_t not_after() const;

 private:
  struct Impl;
  explicit Certificates(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::host::http::tls
