// Signatures of others, checked by the host.
#pragma once

#include <string>
#include <string_view>

#include "plexsphere/abi/verify.h"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

// A public key with its numbers big-endian; see px_key_type for what `a` and `b` are.
struct VerificationKey {
  px_key_type type = 0;
  std::string a;
  std::string b;

  bool operator==(const VerificationKey&) const = default;
};

class Verify {
 public:
  static constexpr std::string_view kName = "px.verify/1";
  using Wire = px_verify;
  Verify() = default;
  explicit Verify(const px_verify* table) : table_(table) {}

  // `algorithm` as in JSON Web Algorithms. UNAUTHENTICATED "signature_invalid"; INVALID_ARGUMENT
  // "key_invalid"; UNIMPLEMENTED "algorithm_unknown".
  Status check(std::string_view algorithm, const VerificationKey& key, std::string_view message,
               std::string_view signature) const {
    const px_public_verification_key wire{sizeof(px_public_verification_key), key.type,
                                          to_wire_bytes(key.a), to_wire_bytes(key.b)};
    ErrorSink sink;
    return std::move(sink).outcome(table_->verify(table_->base.self, to_wire(algorithm), &wire,
                                                  to_wire_bytes(message), to_wire_bytes(signature),
                                                  sink.wire()));
  }

 private:
  const px_verify* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
