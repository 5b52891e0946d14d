// px.signing/1 in C++: the consumer's wrapper. The provider implements the C table itself.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/abi/ports/signing.h"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

struct PublicKey {
  std::string key_id;
  std::string key;  // 32 raw bytes
};

struct Signatures {
  PublicKey key;
  std::vector<std::string> signatures;  // 64 raw bytes each
};

// What the signer signed last of a scope's log.
struct LastCheckpoint {
  std::uint64_t size = 0;
  std::string root;         // 32 raw bytes; empty: no checkpoint was signed yet
  std::uint64_t epoch = 1;  // 0: the signer remembers nothing and believes the next checkpoint
  std::string restore;  // SHA-256 of the statement that began the epoch; empty: none, or unknown
};

class Signing {
 public:
  static constexpr std::string_view kName = "px.signing/1";
  using Wire = px_signing;
  using SignDone = std::function<void(const Result<Signatures>&)>;
  using LastDone = std::function<void(const Result<LastCheckpoint>&)>;
  using RotationDone = std::function<void(const Result<PublicKey>&)>;
  Signing() = default;
  explicit Signing(const px_signing* table) : table_(table) {}

  // From the core's own projection; may read the database.
  Result<PublicKey> active_key(std::string_view scope,
                               px_signing_purpose purpose = PX_SIGN_EVENT) const {
    px_public_key out{};
    out.struct_size = sizeof out;
    std::array<char, 128> id;
    ErrorSink sink;
    const px_status s = table_->active_key(table_->base.self, to_wire(scope), purpose, &out,
                                           id.data(), id.size(), sink.wire());
    return s == PX_OK ? Result<PublicKey>(from(out)) : std::move(sink).error(s);
  }

  void sign(std::string_view scope, px_signing_purpose purpose, std::string_view key_id,
            std::span<const std::string> messages, SignDone done) const {
    std::vector<px_bytes> wire;
    for (const std::string& message : messages) {
      wire.push_back(to_wire_bytes(message));
    }
    table_->sign(
        table_->base.self, to_wire(scope), purpose, to_wire(key_id), wire.data(), wire.size(),
        [](void* ctx, px_status status, px_str reason, const px_public_key* key,
           const px_signature* signatures, uint64_t count) noexcept {
          complete<SignDone>(ctx, status, reason, [&] {
            Signatures out{from(*key), {}};
            for (uint64_t i = 0; i < count; ++i) {
              out.signatures.emplace_back(reinterpret_cast<const char*>(signatures[i].bytes), 64);
            }
            return Result<Signatures>(std::move(out));
          });
        },
        new SignDone(std::move(done)));
  }
  void open_rotation(std::string_view scope, RotationDone done) const {
    table_->open_rotation(table_->base.self, to_wire(scope), &rotated,
                          new RotationDone(std::move(done)));
  }
  void close_rotation(std::string_view scope, RotationDone done) const {
    table_->close_rotation(table_->base.self, to_wire(scope), &rotated,
                           new RotationDone(std::move(done)));
  }
  void last_checkpoint(std::string_view scope, LastDone done) const {
    table_->last_checkpoint(
        table_->base.self, to_wire(scope),
        [](void* ctx, px_status status, px_str reason, const px_last_checkpoint* last) noexcept {
          complete<LastDone>(ctx, status, reason,
                             [&] { return Result<LastCheckpoint>(from(*last)); });
        },
        new LastDone(std::move(done)));
  }

 private:
  static LastCheckpoint from(const px_last_checkpoint& last) {
    const std::string restore(reinterpret_cast<const char*>(last.restore), 32);
    return {last.size,
            last.has_root != 0 ? std::string(reinterpret_cast<const char*>(last.root), 32)
                               : std::string(),
            last.epoch, restore == std::string(32, '\0') ? std::string() : restore};
  }
  static PublicKey from(const px_public_key& key) {
    return {std::string(view(key.key_id)), std::string(reinterpret_cast<const char*>(key.key), 32)};
  }
  template <typename Done, typename Make>
  static void complete(void* ctx, px_status status, px_str reason, Make make) noexcept {
    const std::unique_ptr<Done> done(static_cast<Done*>(ctx));
    try {
      if (status == PX_OK) {
        (*done)(make());
      } else {
        (*done)(Error{static_cast<Code>(status), std::string(view(reason)),
                      "The signer refused or is away."});
      }
    } catch (...) {
      // As with every completion: nobody is left to tell.
    }
  }
  static void rotated(void* ctx, px_status status, px_str reason,
                      const px_public_key* key) noexcept {
    complete<RotationDone>(ctx, status, reason, [&] { return Result<PublicKey>(from(*key)); });
  }

  const px_signing* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
