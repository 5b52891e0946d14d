#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "host/persistence/tests/database_fixture.hpp"
#include "host/seal/vault.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::host::seal {
namespace {

using namespace plexsphere::host::testing;
using persistence::Store;

Database& database() {
  static Database instance;
  return instance;
}

Bytes bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string text_of(const SecretBytes& secret) {
  return {reinterpret_cast<const char*>(secret.span().data()), secret.span().size()};
}

RootKey root_key(std::uint8_t seed) {
  SecretBytes key(kKeyBytes);
  for (std::size_t i = 0; i < kKeyBytes; ++i) {
    key.span()[i] = static_cast<std::uint8_t>(seed + i);
  }
  return RootKey(std::move(key));
}

struct Replica {
  explicit Replica(std::uint8_t seed = 1)
      : store(database().options(), {}), vault(store, root_key(seed)) {}
  Store store;
  Vault vault;
};

TEST_CASE("what one replica sealed another opens, under one wrap key per scope", "[seal]") {
  Replica first;
  Replica second;
  const auto sealed = first.vault.seal("identity", "domain:a", bytes("aad"), bytes("secret"));
  CHECK(sealed.blob.size() == kNonceBytes + 6 + kTagBytes);
  CHECK(sealed.wrap_key_version == 1);
  CHECK(text_of(second.vault.unseal("identity", "domain:a", sealed.wrap_key_id, bytes("aad"),
                                    sealed.blob)) == "secret");
  const auto again = second.vault.seal("identity", "domain:a", bytes("aad"), bytes("secret"));
  CHECK(again.wrap_key_id == sealed.wrap_key_id);
  CHECK(again.blob != sealed.blob);
  CHECK(first.vault.seal("identity", "domain:b", {}, bytes("x")).wrap_key_id != sealed.wrap_key_id);
  CHECK(first.vault.seal("audit", "domain:a", {}, bytes("x")).wrap_key_id != sealed.wrap_key_id);
}

TEST_CASE("a blob opens only where and with what it was sealed", "[seal]") {
  Replica replica;
  const auto sealed = replica.vault.seal("identity", "domain:t", bytes("aad"), bytes("secret"));
  const auto reason = [&](const std::string& context, const std::string& scope,
                          std::string_view aad, Bytes blob, const UuidBytes& key) {
    return failure_of([&] { (void)replica.vault.unseal(context, scope, key, bytes(aad), blob); });
  };
  CHECK(reason("audit", "domain:t", "aad", sealed.blob, sealed.wrap_key_id).status() ==
        PX_DATA_LOSS);
  CHECK(reason("identity", "domain:u", "aad", sealed.blob, sealed.wrap_key_id).status() ==
        PX_DATA_LOSS);
  CHECK(reason("identity", "domain:t", "aax", sealed.blob, sealed.wrap_key_id).status() ==
        PX_DATA_LOSS);
  CHECK(reason("identity", "domain:t", "aad", {}, sealed.wrap_key_id).status() == PX_DATA_LOSS);
  CHECK(reason("identity", "domain:t", "aad", sealed.blob, UuidBytes{1}).status() == PX_NOT_FOUND);
  for (std::size_t i = 0; i < sealed.blob.size(); ++i) {
    auto tampered = sealed.blob;
    tampered[i] ^= 1;
    CHECK(reason("identity", "domain:t", "aad", tampered, sealed.wrap_key_id).status() ==
          PX_DATA_LOSS);
  }
}

TEST_CASE("another root key opens nothing and says which key was used", "[seal]") {
  Replica mine(1);
  const auto sealed = mine.vault.seal("identity", "domain:root", {}, bytes("secret"));
  Replica other(2);
  const auto error = failure_of([&] {
    (void)other.vault.unseal("identity", "domain:root", sealed.wrap_key_id, {}, sealed.blob);
  });
  CHECK(error.status() == PX_DATA_LOSS);
  CHECK(std::string{error.what()}.find(mine.vault.root_key_id()) != std::string::npos);
}

TEST_CASE("a wrap key moved to another scope in the database does not open", "[seal]") {
  Replica first;
  const auto sealed = first.vault.seal("identity", "domain:moved", {}, bytes("secret"));
  database().cluster.query("UPDATE platform.wrap_key SET scope = 'domain:thief' WHERE id = '" +
                           to_text(sealed.wrap_key_id) + "'");
  Replica second;
  CHECK(failure_of([&] {
          (void)second.vault.unseal("identity", "domain:thief", sealed.wrap_key_id, {},
                                    sealed.blob);
        }).status() == PX_DATA_LOSS);
}

TEST_CASE("many replicas that seal first at once agree on one key", "[seal]") {
  std::vector<SealedBlob> sealed(4);
  {
    std::vector<std::jthread> threads;
    for (auto& out : sealed) {
      threads.emplace_back([&out] {
        Replica replica;
        out = replica.vault.seal("identity", "domain:race", {}, bytes("x"));
      });
    }
  }
  for (const auto& out : sealed) {
    CHECK(out.wrap_key_id == sealed[0].wrap_key_id);
  }
}

TEST_CASE("limits of scope and plaintext are refused", "[seal]") {
  Replica replica;
  const auto status = [&](const std::string& scope, const std::string& plain) {
    return failure_of([&] { (void)replica.vault.seal("identity", scope, {}, bytes(plain)); })
        .status();
  };
  CHECK(status("", "x") == PX_INVALID_ARGUMENT);
  CHECK(status(std::string(129, 's'), "x") == PX_INVALID_ARGUMENT);
  CHECK(status("s", "") == PX_INVALID_ARGUMENT);
  CHECK(status("s", std::string(65'537, 'x')) == PX_INVALID_ARGUMENT);
}

TEST_CASE("derived keys depend on root key, context and label, and on nothing else", "[seal]") {
  Replica one(1);
  Replica same(1);
  Replica other(2);
  CHECK(text_of(one.vault.derive("identity", "tag")) ==
        text_of(same.vault.derive("identity", "tag")));
  CHECK(text_of(one.vault.derive("identity", "tag")) !=
        text_of(one.vault.derive("identity", "tah")));
  CHECK(text_of(one.vault.derive("identity", "tag")) != text_of(one.vault.derive("audit", "tag")));
  CHECK(text_of(one.vault.derive("identity", "tag")) !=
        text_of(other.vault.derive("identity", "tag")));
}

TEST_CASE("AES-256-GCM agrees with the published vector", "[seal]") {
  // Test Case 14 of the GCM specification (McGrew, Viega): zero key, zero nonce, 16 zero bytes.
  const std::vector<std::uint8_t> key(32, 0);
  std::vector<std::uint8_t> blob(12, 0);
  for (const int byte : {0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5,
                         0xd3, 0xba, 0xf3, 0x9d, 0x18, 0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99,
                         0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19}) {
    blob.push_back(static_cast<std::uint8_t>(byte));
  }
  const auto opened = aead_open(key, {}, blob);
  REQUIRE(opened);
  CHECK(text_of(*opened) == std::string(16, '\0'));
}

TEST_CASE("a root key file is refused with the reason", "[seal]") {
  const test_support::TempDir directory;
  const auto write = [&](const std::string& name, const std::string& content, mode_t mode) {
    const auto path = directory.write(name, content);
    ::chmod(path.c_str(), mode);
    return path.string();
  };
  std::string good(32, 'a');
  good[7] = 'b';
  const auto message = [](const RootKeySource& source) { return RootKey::check(source).message(); };
  CHECK(RootKey::check({write("good", good, 0400), ""}).ok());
  CHECK(RootKey::check({write("good2", good, 0600), ""}).ok());
  CHECK(message({write("open", good, 0440), ""}).find("chmod 0400") != std::string::npos);
  CHECK(message({write("short", "abc", 0400), ""}).find("3 bytes instead of 32") !=
        std::string::npos);
  CHECK(message({write("same", std::string(32, 'a'), 0400), ""}).find("repeated") !=
        std::string::npos);
  CHECK(message({directory.path().string(), ""}).find("regular file") != std::string::npos);
  CHECK(message({(directory.path() / "missing").string(), ""}).find("opened") != std::string::npos);
  CHECK(message({"", ""}).find("exactly one") != std::string::npos);
  CHECK(message({"a", "b"}).find("exactly one") != std::string::npos);
  if (::geteuid() == 0) {
    const std::string foreign = write("foreign", good, 0400);
    REQUIRE(::chown(foreign.c_str(), 65534, 65534) == 0);
    CHECK(message({foreign, ""}).find("uid 65534") != std::string::npos);
  }
  ::setenv("CREDENTIALS_DIRECTORY", directory.path().c_str(), 1);
  CHECK(RootKey::check({"", "good"}).ok());
  CHECK_FALSE(RootKey::check({"", "../good"}).ok());
  ::unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(message({"", "good"}).find("LoadCredential") != std::string::npos);
}

TEST_CASE("a rotated scope seals under the new version and opens what names the old", "[seal]") {
  Replica first;
  Replica second;
  const std::string scope = "domain:rotate";
  CHECK(failure_of([&] { (void)first.vault.active("identity", scope); }).status() == PX_NOT_FOUND);
  CHECK(failure_of([&] { (void)first.vault.rotate("identity", scope, 1); }).status() ==
        PX_NOT_FOUND);
  const auto old = first.vault.seal("identity", scope, {}, bytes("secret"));
  CHECK(first.vault.active("identity", scope).id == old.wrap_key_id);

  const auto rotated = first.vault.rotate("identity", scope, 1);
  CHECK(rotated.version == 2);
  CHECK(rotated.id != old.wrap_key_id);
  CHECK(first.vault.seal("identity", scope, {}, bytes("x")).wrap_key_id == rotated.id);
  CHECK(text_of(second.vault.unseal("identity", scope, old.wrap_key_id, {}, old.blob)) == "secret");
  // Asked again, by whoever died before it could note the answer, nothing more happens.
  CHECK(second.vault.rotate("identity", scope, 1).id == rotated.id);
  CHECK(second.vault.seal("identity", scope, {}, bytes("x")).wrap_key_version == 2);

  CHECK(first.vault.retire("identity", scope, 2) == 1);
  CHECK(first.vault.retire("identity", scope, 2) == 0);
  Replica third;  // a retired key still opens, for restored backups
  CHECK(text_of(third.vault.unseal("identity", scope, old.wrap_key_id, {}, old.blob)) == "secret");
  CHECK(third.vault.retire("identity", scope, 9) == 0);  // never the active one
  CHECK(third.vault.active("identity", scope).version == 2);
}

TEST_CASE("of rotations at the same time one makes the new version", "[seal]") {
  Replica first;
  const std::string scope = "domain:rotate-race";
  (void)first.vault.seal("identity", scope, {}, bytes("x"));
  std::vector<WrapKeyVersion> seen(4);
  std::vector<std::thread> threads;
  for (auto& out : seen) {
    threads.emplace_back([&out, &scope] { out = Replica().vault.rotate("identity", scope, 1); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const auto& each : seen) {
    CHECK(each.version == 2);
    CHECK(each.id == seen.front().id);
  }
}

}  // namespace
}  // namespace plexsphere::host::seal
