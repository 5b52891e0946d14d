#include "provider/software_provider.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "signer_fixture.hpp"
#include "support/process.hpp"

namespace plexsphere::signing {
namespace {

using test_support::TempDir;

const KeyName kEventKey{"events", std::string(testing::kDomain), "k1"};

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

std::span<const std::uint8_t> view_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string refusal(const std::string& path) {
  const auto opened = SoftwareProvider::open(path);
  REQUIRE_FALSE(opened.ok());
  CHECK(opened.fault().kind == FaultKind::kProviderUnavailable);
  return opened.fault().cause;
}

TEST_CASE("key derivation is HKDF-SHA512 as OpenSSL computes it", "[signing]") {
  std::array<std::uint8_t, 32> seed{};
  for (std::size_t i = 0; i < seed.size(); ++i) {
    seed[i] = static_cast<std::uint8_t>(i);
  }
  const std::string info = "events|" + std::string(testing::kDomain) + "|k1";
  std::array<std::uint8_t, 32> derived{};
  hkdf_sha512(seed, view_of(info), derived);

  const auto openssl =
      test_support::run("/usr/bin/openssl", {"kdf", "-keylen", "32", "-kdfopt", "digest:SHA512",
                                             "-kdfopt", "hexkey:" + hex(seed), "-kdfopt",
                                             "hexinfo:" + hex(view_of(info)), "HKDF"});
  REQUIRE(openssl.code == 0);
  std::string expected;
  for (const char c : openssl.out) {
    if (c != ':' && c != '\n') {
      expected.push_back(static_cast<char>(std::tolower(c)));
    }
  }
  CHECK(hex(derived) == expected);

  // And the key pair is that seed's.
  const TempDir directory;
  PublicKey key{};
  std::array<std::uint8_t, 64> secret{};
  crypto_sign_seed_keypair(key.data(), secret.data(), derived.data());
  CHECK(
      SoftwareProvider::open(testing::write_seed(directory)).value()->generate(kEventKey).value() ==
      key);
}

TEST_CASE("two providers with one seed hold the same keys", "[signing]") {
  const TempDir directory;
  const auto one = SoftwareProvider::open(testing::write_seed(directory, "a")).value();
  const auto two = SoftwareProvider::open(testing::write_seed(directory, "b")).value();
  const PublicKey key = one->generate(kEventKey).value();
  CHECK(two->public_key(kEventKey).value() == key);
  const Signature signature = two->sign(kEventKey, view_of("message")).value();
  CHECK(one->sign(kEventKey, view_of("message")).value() == signature);
  CHECK(testing::verifies(key, "message", signature));
}

TEST_CASE("purpose, scope and key id each make another key", "[signing]") {
  const TempDir directory;
  const auto provider = SoftwareProvider::open(testing::write_seed(directory)).value();
  std::vector<PublicKey> keys;
  for (const KeyName& name : {kEventKey, KeyName{"checkpoints", kEventKey.scope, "k1"},
                              KeyName{"events", "platform", "k1"},
                              KeyName{"events", kEventKey.scope, "k2"}, document_key_name()}) {
    keys.push_back(provider->generate(name).value());
  }
  std::sort(keys.begin(), keys.end());
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
}

TEST_CASE("more keys than are kept at hand stay right, and a retired one can be derived again",
          "[signing]") {
  const TempDir directory;
  const auto provider = SoftwareProvider::open(testing::write_seed(directory)).value();
  const auto name = [](int i) {
    return KeyName{"events", std::string(testing::kDomain), "k" + std::to_string(i)};
  };
  std::vector<PublicKey> keys;
  for (int i = 0; i < 600; ++i) {
    keys.push_back(provider->generate(name(i)).value());
    provider->retire(name(i / 2));
    provider->retire(name(i / 2));
  }
  for (int i = 0; i < 600; ++i) {
    CHECK(testing::verifies(keys[static_cast<std::size_t>(i)], "m",
                            provider->sign(name(i), view_of("m")).value()));
  }
}

TEST_CASE("a seed file that others could read, or of another size or kind, is refused",
          "[signing]") {
  const TempDir directory;
  CHECK(refusal((directory.path() / "absent").string()).find("No such file") != std::string::npos);
  CHECK(refusal(directory.path().string()).find("not a regular file") != std::string::npos);

  const std::string good = testing::write_seed(directory);
  const std::string link = (directory.path() / "link").string();
  std::filesystem::create_symlink(good, link);
  CHECK_FALSE(SoftwareProvider::open(link).ok());

  for (const mode_t mode : {0440, 0604, 0640, 0700, 04400}) {
    REQUIRE(chmod(good.c_str(), mode) == 0);
    CHECK(refusal(good).find("chmod 0400") != std::string::npos);
  }
  REQUIRE(chmod(good.c_str(), 0600) == 0);
  CHECK(SoftwareProvider::open(good).ok());

  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    const std::string path = directory.write("bad" + std::to_string(size), std::string(size, 'x'));
    REQUIRE(chmod(path.c_str(), 0400) == 0);
    CHECK(refusal(path).find("exactly 32 random bytes; it holds " + std::to_string(size)) !=
          std::string::npos);
  }
}

TEST_CASE("a seed file of another user is refused", "[signing]") {
  if (geteuid() != 0) {
    WARN("needs root to give a file away");
    return;
  }
  const TempDir directory;
  const std::string path = testing::write_seed(directory);
  REQUIRE(chown(path.c_str(), 12345, 12345) == 0);
  CHECK(refusal(path).find("not owned by the user") != std::string::npos);
}

TEST_CASE("locked memory is really locked", "[signing]") {
  const auto locked_kb = [] {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word) {
      if (word == "VmLck:") {
        long kb = 0;
        status >> kb;
        return kb;
      }
    }
    return -1L;
  };
  const long before = locked_kb();
  const LockedBytes bytes(8192);
  CHECK(locked_kb() >= before + 8);
}

}  // namespace
}  // namespace plexsphere::signing
