// px.signing/1 for tests: one checkpoint key a scope, made at its first use, in this process.
//
// The tables of a port live until the process ends, so make it static or outlive the plugin with
// it. Thread-safe.
#pragma once

#include <sodium.h>

#include <array>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "plexsphere/abi/ports/signing.h"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::audit::test {

class TestSigner {
 public:
  enum class Mood { kSigns, kAway, kLies, kNoKey };

  TestSigner()
      : table_{{sizeof(px_signing), 1, this}, &active_key, &sign, &open_rotation, &open_rotation} {}
  TestSigner(const TestSigner&) = delete;
  TestSigner& operator=(const TestSigner&) = delete;

  const px_table* table() const { return &table_.base; }
  // kNoKey: until somebody opens a rotation.
  void be(Mood mood) {
    const std::lock_guard lock(mutex_);
    mood_ = mood;
  }
  std::vector<std::string> signed_texts() const {
    const std::lock_guard lock(mutex_);
    return signed_;
  }
  int openings() const {
    const std::lock_guard lock(mutex_);
    return openings_;
  }

 private:
  struct Key {
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> open;
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret;
  };

  static TestSigner& self_of(void* self) { return *static_cast<TestSigner*>(self); }

  Key& key_of(const std::string& scope) {
    const auto [at, fresh] = keys_.try_emplace(scope);
    if (fresh) {
      crypto_sign_keypair(at->second.open.data(), at->second.secret.data());
    }
    return at->second;
  }

  static px_public_key wire_key(const Key& key) {
    px_public_key out{};
    out.struct_size = sizeof out;
    std::copy(key.open.begin(), key.open.end(), out.key);
    out.key_id = sdk::to_wire("k-test");
    return out;
  }

  static px_status active_key(void*, px_str, px_signing_purpose, px_public_key*, char*, uint64_t,
                              px_error*) {
    return PX_UNAVAILABLE;
  }

  static void sign(void* self, px_str scope, px_signing_purpose purpose, px_str,
                   const px_bytes* messages, uint64_t count, px_sign_done done, void* ctx) {
    TestSigner& signer = self_of(self);
    std::unique_lock lock(signer.mutex_);
    if (signer.mood_ == Mood::kAway || signer.mood_ == Mood::kNoKey || count != 1 ||
        purpose != PX_SIGN_CHECKPOINT) {
      const bool away = signer.mood_ == Mood::kAway;
      lock.unlock();
      done(ctx, away ? PX_UNAVAILABLE : PX_NOT_FOUND,
           sdk::to_wire(away ? "signing_unavailable" : "key_not_found"), nullptr, nullptr, 0);
      return;
    }
    const Key& key = signer.key_of(std::string(sdk::view(scope)));
    px_signature signature{};
    crypto_sign_detached(signature.bytes, nullptr, messages[0].ptr, messages[0].len,
                         key.secret.data());
    if (signer.mood_ == Mood::kLies) {
      signature.bytes[0] ^= 1;
    } else {
      signer.signed_.emplace_back(sdk::view(messages[0]));
    }
    const px_public_key wire = wire_key(key);
    lock.unlock();
    done(ctx, PX_OK, {}, &wire, &signature, 1);
  }

  static void open_rotation(void* self, px_str scope, px_rotation_done done, void* ctx) {
    TestSigner& signer = self_of(self);
    std::unique_lock lock(signer.mutex_);
    ++signer.openings_;
    signer.mood_ = Mood::kSigns;
    const px_public_key wire = wire_key(signer.key_of(std::string(sdk::view(scope))));
    lock.unlock();
    done(ctx, PX_OK, {}, &wire);
  }

  px_signing table_;
  mutable std::mutex mutex_;
  Mood mood_ = Mood::kSigns;  // these under mutex_
  std::map<std::string, Key> keys_;
  std::vector<std::string> signed_;
  int openings_ = 0;
};

}  // namespace plexsphere::audit::test
