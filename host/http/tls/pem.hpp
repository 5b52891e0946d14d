// Certificates and keys as operators keep them: PEM files.
//
// Thread safety: functions without state. Ownership: the result owns what it holds.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/tls/certificates.hpp"

namespace plexsphere::host::http::tls {

struct FreeX509 {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using X509Pointer = std::unique_ptr<X509, FreeX509>;
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeKey>;

struct KeyPair {
  X509Pointer leaf;
  std::vector<X509Pointer> chain;  // without the leaf, in the file's order
  KeyPointer key;                  // belongs to the leaf
  std::int64_t not_after = 0;      // of the leaf, seconds since 1970
};

// Reads both files, at most 1 MiB each. Refused, with the file and the cause named: what cannot be
// read, holds no PEM of that kind, a key with a passphrase, a key of another certificate, a key
// file that others than its owner may write or others than its owner and group may read. An expired
// certificate is not refused: see Certificates::not_after.
Result<KeyPair> read_key_pair(const CertificateFiles& files);

// OpenSSL's words for the newest failure on this thread; clears the failures. Never empty.
std::string take_openssl_error();

}  // namespace plexsphere::host::http::tls
