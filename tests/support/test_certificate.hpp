// Certificates of a test's own: made when the test runs, signed by themselves.
// Thread-safe: no state.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace plexsphere::test_support {

enum class TestKey : unsigned char { kEc, kRsa };  // P-256; 2048 bits

struct TestCertificateOptions {
  TestKey key = TestKey::kEc;
  // From now on; negative makes a certificate that has expired.
  std::chrono::seconds lifetime = std::chrono::hours(24);
};

struct TestCertificate {
  std::filesystem::path certificate;  // PEM, mode 0644
  std::filesystem::path key;          // PEM, mode 0600
  std::string serial;                 // as TlsClient::peer_serial gives it; random
};

// Writes <name>.crt and <name>.key into `directory`, over what is there, for the subject and
// alternative names "localhost", 127.0.0.1 and ::1. Throws std::runtime_error when it cannot.
[[nodiscard]] TestCertificate make_test_certificate(const std::filesystem::path& directory,
                                                    const std::string& name = "server",
                                                    const TestCertificateOptions& options = {});

}  // namespace plexsphere::test_support
