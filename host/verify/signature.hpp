// Signatures of JSON Web Algorithms (RFC 7518, 3.3 to 3.5; RFC 8037, 3.1), checked with OpenSSL.
// Thread safety: pure, any thread.
#pragma once

#include <string_view>

#include "host/verify/public_key.hpp"

namespace plexsphere::host::verify {

enum class Outcome { kValid, kInvalid, kKeyInvalid, kAlgorithmUnknown };

// ES… signatures are r ‖ s, each as long as the curve's order. A key is taken only by the
// algorithms of its type, an EC key only by the one of its curve.
Outcome check_signature(std::string_view algorithm, px_key_type type, Bytes a, Bytes b,
                        Bytes message, Bytes signature);

}  // namespace plexsphere::host::verify
