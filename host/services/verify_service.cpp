#include "host/services/verify_service.hpp"

#include "host/base/error_capture.hpp"
#include "host/services/table_map.hpp"
#include "host/verify/signature.hpp"

namespace plexsphere::host::services {
namespace {

using verify::Outcome;

verify::Bytes bytes_of(px_bytes bytes) {
  return {bytes.ptr, bytes.len};
}

px_status answer(Outcome outcome, px_error* err) {
  switch (outcome) {
    case Outcome::kValid:
      return PX_OK;
    case Outcome::kInvalid:
      return report(err, PX_UNAUTHENTICATED, "signature_invalid",
                    "The signature is not one by this key over these bytes.");
    case Outcome::kKeyInvalid:
      return report(err, PX_INVALID_ARGUMENT, "key_invalid",
                    "The key is malformed, out of bounds, or not one for this algorithm.");
    default:
      return report(err, PX_UNIMPLEMENTED, "algorithm_unknown",
                    "Take RS…, PS… or ES… with 256, 384 or 512, or EdDSA.");
  }
}

px_status check(void*, px_str algorithm, const px_public_verification_key* key, px_bytes message,
                px_bytes signature, px_error* err) noexcept {
  try {
    return answer(
        verify::check_signature({algorithm.ptr, algorithm.len}, key->type, bytes_of(key->a),
                                bytes_of(key->b), bytes_of(message), bytes_of(signature)),
        err);
  } catch (...) {
    return report(err, PX_INTERNAL, "internal", "The host failed unexpectedly.");
  }
}

class VerifyService final : public ServiceProvider {
 public:
  std::string_view name() const noexcept override { return "px.verify/1"; }
  const px_table* table_for(const PluginContext&) override { return as_table(wire_); }

 private:
  const px_verify wire_{{sizeof(px_verify), 1, nullptr}, &check};
};

}  // namespace

std::unique_ptr<ServiceProvider> make_verify_service() {
  return std::make_unique<VerifyService>();
}

}  // namespace plexsphere::host::services
