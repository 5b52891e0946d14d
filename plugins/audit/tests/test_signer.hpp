// px.signing/1 for tests: one checkpoint key a scope, made at its first use, in this process. As
// the real one it signs no checkpoint behind another, and a restore only where it was permitted.
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

#include "app/digest.hpp"
#include "plexsphere/sdk/ports/signing.hpp"
#include "plexsphere/sdk/restore_statement.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::audit::test {

class TestSigner {
 public:
  enum class Mood { kSigns, kAway, kLies, kNoKey };

  TestSigner()
      : table_{{sizeof(px_signing), 1, this},
               &active_key,
               &sign,
               &open_rotation,
               &open_rotation,
               &last_checkpoint} {}
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
  void permit(const std::string& statement) {
    const std::lock_guard lock(mutex_);
    permitted_ = statement;
  }
  // How often it was asked for a signature or what it signed last.
  int calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
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
    ++signer.calls_;
    std::string_view refusal = signer.refusal();
    const std::string text(count == 1 ? sdk::view(messages[0]) : std::string_view());
    if (refusal.empty() && signer.mood_ == Mood::kSigns) {
      refusal = signer.advance(std::string(sdk::view(scope)), purpose, text);
    }
    if (!refusal.empty()) {
      lock.unlock();
      done(ctx, status_of(refusal), sdk::to_wire(refusal), nullptr, nullptr, 0);
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

  static px_status status_of(std::string_view refusal) {
    return refusal == "signing_unavailable" ? PX_UNAVAILABLE
           : refusal == "key_not_found"     ? PX_NOT_FOUND
                                            : PX_FAILED_PRECONDITION;
  }

  std::string_view refusal() const {
    return mood_ == Mood::kAway    ? "signing_unavailable"
           : mood_ == Mood::kNoKey ? "key_not_found"
                                   : "";
  }

  // Why the message is not signed; empty when it is.
  std::string_view advance(const std::string& scope, px_signing_purpose purpose,
                           const std::string& text) {
    sdk::LastCheckpoint& last = last_[scope];
    if (purpose == PX_SIGN_RESTORE) {
      const auto said = sdk::parse_restore(text);
      if (!said || said->epoch != last.epoch + 1 ||
          said->before != sdk::TreeHead{last.size, last.root}) {
        return "checkpoint_regressed";
      }
      if (text != permitted_) {
        return "restore_not_permitted";
      }
      last = {said->after.size, said->after.root, said->epoch, sha256(text)};
      return "";
    }
    const auto said = sdk::parse_checkpoint(text);
    if (!said || said->epoch != last.epoch || said->size < last.size ||
        (said->size == last.size && said->root != last.root)) {
      return "checkpoint_regressed";
    }
    last.size = said->size;
    last.root = said->root;
    return "";
  }

  static void last_checkpoint(void* self, px_str scope, px_last_checkpoint_done done, void* ctx) {
    TestSigner& signer = self_of(self);
    std::unique_lock lock(signer.mutex_);
    ++signer.calls_;
    const std::string_view refusal = signer.refusal();
    const sdk::LastCheckpoint last = signer.last_[std::string(sdk::view(scope))];
    lock.unlock();
    px_last_checkpoint out{};
    out.struct_size = sizeof out;
    out.size = last.size;
    out.epoch = last.epoch;
    out.has_root = last.root.empty() ? 0 : 1;
    std::copy(last.root.begin(), last.root.end(), out.root);
    std::copy(last.restore.begin(), last.restore.end(), out.restore);
    done(ctx, refusal.empty() ? PX_OK : status_of(refusal), sdk::to_wire(refusal),
         refusal.empty() ? &out : nullptr);
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
  std::map<std::string, sdk::LastCheckpoint> last_;
  std::string permitted_;
  int openings_ = 0;
  int calls_ = 0;
};

}  // namespace plexsphere::audit::test
