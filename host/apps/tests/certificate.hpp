// A certificate for localhost that nobody else trusts, made by the openssl command.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::host::apps {

struct CertificateFilePair {
  std::filesystem::path certificate;
  std::filesystem::path key;

  std::string pem() const { return test_support::read_file(certificate); }
  // As [tls] of a configuration file.
  std::string section() const {
    return "[tls]\ncertificate = \"" + certificate.string() + "\"\nkey = \"" + key.string() +
           "\"\n";
  }
};

inline CertificateFilePair make_certificate(const std::filesystem::path& directory,
                                            const std::string& name, int days) {
  CertificateFilePair out{directory / (name + ".crt"), directory / (name + ".key")};
  const auto made = test_support::run(
      "/usr/bin/openssl",
      {"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
       "-days", std::to_string(days), "-subj", "/CN=" + name, "-addext",
       "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", out.key.string(), "-out",
       out.certificate.string()});
  REQUIRE(made.code == 0);
  std::filesystem::permissions(out.key, std::filesystem::perms(0600));
  return out;
}

}  // namespace plexsphere::host::apps
