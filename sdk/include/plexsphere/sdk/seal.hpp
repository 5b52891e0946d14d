// Encryption of secrets at rest, and keys derived from the deployment's root key.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "plexsphere/abi/seal.h"
#include "plexsphere/sdk/secret.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::sdk::inline v1 {

// Ciphertext, fit to store: not secret by itself.
struct Sealed {
  Uuid wrap_key_id;
  int32_t wrap_key_version = 0;
  std::string blob;
};

// The version a scope seals under.
struct WrapKey {
  Uuid id;
  int32_t version = 0;
};

class Seal {
 public:
  // After a rotation other replicas may seal under the older version for this long.
  static constexpr std::chrono::milliseconds kSettle{PX_SEAL_SETTLE_MS};
  static constexpr std::string_view kName = "px.seal/1";
  using Wire = px_seal;
  Seal() = default;
  explicit Seal(const px_seal* table) : table_(table) {}

  // Outside transactions: may make the scope's first wrap key in one of its own.
  Result<Sealed> seal(std::string_view scope, std::string_view aad,
                      std::string_view plaintext) const {
    px_sealed out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    const px_status s = table_->seal(table_->base.self, to_wire(scope), to_wire_bytes(aad),
                                     to_wire_bytes(plaintext), &out, sink.wire());
    if (s != PX_OK) {
      return std::move(sink).error(s);
    }
    Sealed sealed{Uuid(out.wrap_key_id), out.wrap_key_version, std::string(view(out.blob))};
    out.release(out.self);
    return sealed;
  }

  Result<Secret> unseal(std::string_view scope, const Uuid& wrap_key_id, std::string_view aad,
                        std::string_view blob) const {
    px_secret out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    const px_status s = table_->unseal(table_->base.self, to_wire(scope), wrap_key_id.wire(),
                                       to_wire_bytes(aad), to_wire_bytes(blob), &out, sink.wire());
    return s == PX_OK ? Result<Secret>(Secret(out)) : std::move(sink).error(s);
  }

  // 32 bytes, the same in every replica of the deployment.
  Result<Secret> derive_key(std::string_view label) const {
    px_secret out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    const px_status s = table_->derive_key(table_->base.self, to_wire(label), &out, sink.wire());
    return s == PX_OK ? Result<Secret>(Secret(out)) : std::move(sink).error(s);
  }

  // Renewing a scope's wrap key; see px_seal. UNIMPLEMENTED on a host that cannot. Outside
  // transactions.
  Result<WrapKey> active(std::string_view scope) const {
    return renewing([&](px_wrap_key* out, px_error* err) {
      return table_->active(table_->base.self, to_wire(scope), out, err);
    });
  }
  Result<WrapKey> rotate(std::string_view scope, int32_t from_version) const {
    return renewing([&](px_wrap_key* out, px_error* err) {
      return table_->rotate(table_->base.self, to_wire(scope), from_version, out, err);
    });
  }
  Status retire(std::string_view scope, int32_t version) const {
    const auto done = renewing([&](px_wrap_key*, px_error* err) {
      return table_->retire(table_->base.self, to_wire(scope), version, nullptr, err);
    });
    return done.ok() ? Status{} : Status(done.error());
  }

 private:
  template <typename Call>
  Result<WrapKey> renewing(Call call) const {
    if (!PX_HAS(&table_->base, px_seal, retire)) {
      return Error{Code::unimplemented, "wrap_keys_not_renewed", "This host renews no wrap keys."};
    }
    px_wrap_key out{};
    out.struct_size = sizeof out;
    ErrorSink sink;
    const px_status s = call(&out, sink.wire());
    return s == PX_OK ? Result<WrapKey>(WrapKey{Uuid(out.id), out.version})
                      : std::move(sink).error(s);
  }

  const px_seal* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
