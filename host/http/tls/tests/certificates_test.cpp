#include "host/http/tls/certificates.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <filesystem>

#include "host/http/tls/tests/tls_rig.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/tls_client.hpp"

namespace plexsphere::host::http::tls {
namespace {

namespace fs = std::filesystem;
using test_support::make_test_certificate;
using test_support::TempDir;
using test_support::TlsClient;
using test_support::TlsClientContext;

std::string refusal(const fs::path& certificate, const fs::path& key) {
  const auto loaded = Certificates::load({certificate, key});
  REQUIRE_FALSE(loaded.ok());
  return loaded.status().message();
}

void replace(const test_support::TestCertificate& with, const CertificateFiles& files) {
  fs::copy_file(with.certificate, files.certificate, fs::copy_options::overwrite_existing);
  fs::copy_file(with.key, files.key, fs::copy_options::overwrite_existing);
}

TEST_CASE("a certificate and its key load and tell when they expire", "[tls]") {
  const TempDir directory;
  const auto made =
      make_test_certificate(directory.path(), "server", {.lifetime = std::chrono::hours(1)});
  const auto loaded = Certificates::load({made.certificate, made.key});
  REQUIRE(loaded.ok());
  const auto left = (*loaded)->not_after() - std::time(nullptr);
  CHECK(left > 3500);
  CHECK(left <= 3600);
}

TEST_CASE("an expired certificate loads and says so", "[tls]") {
  const TempDir directory;
  const auto made =
      make_test_certificate(directory.path(), "old", {.lifetime = -std::chrono::hours(1)});
  const auto loaded = Certificates::load({made.certificate, made.key});
  REQUIRE(loaded.ok());
  CHECK((*loaded)->not_after() < std::time(nullptr));
}

TEST_CASE("what cannot be read is named with its cause", "[tls]") {
  const TempDir directory;
  const auto made = make_test_certificate(directory.path());
  const auto missing = directory.path() / "none.pem";
  const auto text = directory.write("text.pem", "not PEM at all\n");
  fs::permissions(text, fs::perms::owner_read);

  const auto no_certificate = refusal(missing, made.key);
  CHECK(no_certificate.find("TLS certificate '" + missing.string()) != std::string::npos);
  CHECK(no_certificate.find("No such file") != std::string::npos);
  const auto no_key = refusal(made.certificate, missing);
  CHECK(no_key.find("TLS key '" + missing.string()) != std::string::npos);
  CHECK(no_key.find("No such file") != std::string::npos);
  CHECK(refusal(text, made.key).find("no PEM block 'BEGIN CERTIFICATE'") != std::string::npos);
  CHECK(refusal(made.certificate, text).find("no PEM private key") != std::string::npos);
  CHECK(refusal(directory.path(), made.key).find("no regular file") != std::string::npos);
}

TEST_CASE("a broken block behind a good certificate is not passed over", "[tls]") {
  const TempDir directory;
  const auto made = make_test_certificate(directory.path());
  const auto chain = directory.write(
      "chain.pem", test_support::read_file(made.certificate) +
                       "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  CHECK(refusal(chain, made.key).find("broken") != std::string::npos);
}

TEST_CASE("a named pipe in the place of a key is refused, not waited for", "[tls]") {
  const TempDir directory;
  const auto made = make_test_certificate(directory.path());
  const auto pipe = directory.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(refusal(made.certificate, pipe).find("no regular file") != std::string::npos);
}

TEST_CASE("a key that does not belong to the certificate is named", "[tls]") {
  const TempDir directory;
  const auto one = make_test_certificate(directory.path(), "one");
  const auto other = make_test_certificate(directory.path(), "other");
  const auto message = refusal(one.certificate, other.key);
  CHECK(message.find(other.key.string()) != std::string::npos);
  CHECK(message.find(one.certificate.string()) != std::string::npos);
  CHECK(message.find("does not belong") != std::string::npos);
}

TEST_CASE("a key that others can read is refused with the command that helps", "[tls]") {
  const TempDir directory;
  const auto made = make_test_certificate(directory.path());
  for (const mode_t mode : {0644U, 0604U, 0602U, 0660U}) {
    REQUIRE(::chmod(made.key.c_str(), mode) == 0);
    CHECK(refusal(made.certificate, made.key).find("chmod 0640") != std::string::npos);
  }
  REQUIRE(::chmod(made.key.c_str(), 0640) == 0);
  CHECK(Certificates::load({made.certificate, made.key}).ok());
}

TEST_CASE("a key with a passphrase is refused without asking for it", "[tls]") {
  const TempDir directory;
  const auto made = make_test_certificate(directory.path());
  const auto locked = directory.path() / "locked.key";
  const auto done = test_support::run(
      "/usr/bin/openssl", {"pkcs8", "-topk8", "-in", made.key.string(), "-out", locked.string(),
                           "-passout", "pass:secret", "-v2", "aes-256-cbc"});
  REQUIRE(done.code == 0);
  REQUIRE(::chmod(locked.c_str(), 0600) == 0);
  CHECK(refusal(made.certificate, locked).find("passphrase") != std::string::npos);
}

TEST_CASE("a reload serves new connections and leaves old ones alone", "[tls]") {
  const TempDir directory;
  const auto first = make_test_certificate(directory.path(), "first");
  const auto second =
      make_test_certificate(directory.path(), "second", {.key = test_support::TestKey::kRsa});
  const CertificateFiles files{directory.path() / "live.crt", directory.path() / "live.key"};
  replace(first, files);
  auto certificates = *Certificates::load(files);
  TlsRig rig(certificates);
  const TlsClientContext context;

  TlsClient old(context, "127.0.0.1", rig.port());
  auto old_socket = rig.take();
  CHECK(old.peer_serial() == first.serial);

  replace(second, files);
  REQUIRE(certificates->reload().ok());
  TlsClient fresh(context, "127.0.0.1", rig.port());
  CHECK(fresh.peer_serial() == second.serial);

  old.send("still here");
  CHECK(receive_exactly(old_socket, 10) == "still here");
  CHECK(old_socket.sendBytes("and here", 8) == 8);
  CHECK(old.receive_exactly(8) == "and here");
}

TEST_CASE("a reload that fails leaves the certificate in use", "[tls]") {
  const TempDir directory;
  const auto first = make_test_certificate(directory.path(), "first");
  const auto other = make_test_certificate(directory.path(), "other");
  const CertificateFiles files{directory.path() / "live.crt", directory.path() / "live.key"};
  replace(first, files);
  auto certificates = *Certificates::load(files);
  const auto not_after = certificates->not_after();
  TlsRig rig(certificates);

  // Half of a renewal: the certificate is new already, the key is not.
  fs::copy_file(other.certificate, files.certificate, fs::copy_options::overwrite_existing);
  const auto failed = certificates->reload();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.message().find("does not belong") != std::string::npos);
  CHECK(certificates->not_after() == not_after);
  TlsClient client(TlsClientContext{}, "127.0.0.1", rig.port());
  CHECK(client.peer_serial() == first.serial);
}

TEST_CASE("clients that check find the certificate good", "[tls]") {
  const TempDir directory;
  const auto made = make_test_certificate(directory.path());
  const auto stranger = make_test_certificate(directory.path(), "stranger");
  TlsRig rig(*Certificates::load({made.certificate, made.key}));
  const TlsClientContext trusting({.authority = made.certificate});
  CHECK(TlsClient(trusting, "127.0.0.1", rig.port()).peer_serial() == made.serial);
  const TlsClientContext distrusting({.authority = stranger.certificate});
  CHECK_THROWS(TlsClient(distrusting, "127.0.0.1", rig.port()));
}

}  // namespace
}  // namespace plexsphere::host::http::tls
