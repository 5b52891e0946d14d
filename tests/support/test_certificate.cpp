#include "test_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>

namespace plexsphere::test_support {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

void check(bool fine, const char* what) {
  if (!fine) {
    throw std::runtime_error(std::string("cannot make a test certificate: ") + what);
  }
}

Key make_key(TestKey kind) {
  Key key(kind == TestKey::kEc ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048), EVP_PKEY_free);
  check(key != nullptr, "key");
  return key;
}

void set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_new(), BN_free);
  check(number && BN_rand(number.get(), 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
            BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
        "serial");
}

std::string serial_of(X509* certificate) {
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
      ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr), BN_free);
  char* text = BN_bn2hex(number.get());
  std::string serial = text;
  OPENSSL_free(text);
  return serial;
}

void add_extension(X509* certificate, int kind, const char* value) {
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, kind, value), X509_EXTENSION_free);
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "extension");
}

Certificate make_certificate(EVP_PKEY* key, std::chrono::seconds lifetime) {
  Certificate certificate(X509_new(), X509_free);
  check(certificate != nullptr, "memory");
  X509* const x509 = certificate.get();
  check(X509_set_version(x509, X509_VERSION_3) == 1, "version");
  set_serial(x509);
  const long end = static_cast<long>(lifetime.count());
  X509_gmtime_adj(X509_getm_notBefore(x509), (end < 0 ? end : 0) - 3600);
  X509_gmtime_adj(X509_getm_notAfter(x509), end);
  X509_NAME* const name = X509_get_subject_name(x509);
  check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("localhost"), -1, -1,
                                   0) == 1 &&
            X509_set_issuer_name(x509, name) == 1 && X509_set_pubkey(x509, key) == 1,
        "subject");
  add_extension(x509, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
  add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
  check(X509_sign(x509, key, EVP_sha256()) > 0, "signature");
  return certificate;
}

void write(const std::filesystem::path& path, mode_t mode,
           const std::function<int(std::FILE*)>& content) {
  std::filesystem::remove(path);
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wx"), std::fclose);
  check(file && ::fchmod(::fileno(file.get()), mode) == 0 && content(file.get()) == 1 &&
            std::fflush(file.get()) == 0,
        path.c_str());
}

}  // namespace

TestCertificate make_test_certificate(const std::filesystem::path& directory,
                                      const std::string& name,
                                      const TestCertificateOptions& options) {
  const auto key = make_key(options.key);
  const auto certificate = make_certificate(key.get(), options.lifetime);
  TestCertificate made{directory / (name + ".crt"), directory / (name + ".key"),
                       serial_of(certificate.get())};
  write(made.certificate, 0644,
        [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
  write(made.key, 0600, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return made;
}

}  // namespace plexsphere::test_support
