// Encryption of secrets at rest, and keys derived from the deployment's root key.
#pragma once

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

class Seal {
 public:
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

 private:
  const px_seal* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
