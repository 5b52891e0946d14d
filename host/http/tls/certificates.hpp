// What the host shows of itself over TLS, and the sockets that speak it.
//
// Thread safety: all members from any thread. Ownership: shared by the engine, which wraps accepted
// sockets, and by whoever reloads on SIGHUP. A socket keeps the certificate it began with.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <filesystem>
#include <memory>
#include <string>

#include "host/base/result.hpp"

namespace plexsphere::host::http::tls {

struct CertificateFiles {
  std::filesystem::path certificate;  // PEM, the leaf first, then its chain
  std::filesystem::path key;          // PEM, without passphrase; readable by the owner only
};

class Certificates {
 public:
  // Errors name the file and the cause (cannot be read, key does not belong to the certificate,
  // expired). TLS 1.2 is the least that is spoken.
  static Result<std::shared_ptr<Certificates>> load(CertificateFiles files);
  ~Certificates();
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  // Reads the files again, for sockets wrapped from now on. On failure the old ones stay in use.
  Status reload();
  // The serving side of a connection. The result is not blocking: its receiveBytes and sendBytes
  // give -1 when they would block, 0 at the end of the stream, and throw Poco::IOException when the
  // connection is broken. The handshake is still to be made (Handshakes does it).
  Poco::Net::StreamSocket wrap(const Poco::Net::StreamSocket& accepted) const;
  // Seconds since 1970 at which the certificate in use expires.
  std::int64_t not_after() const;

 private:
  struct Impl;
  explicit Certificates(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace plexsphere::host::http::tls
