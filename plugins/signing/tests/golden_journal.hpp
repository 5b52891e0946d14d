// The journal's format, pinned: docs/contexts/signing.md has the same bytes. The hashes were worked
// out with another program, from the words in the lines.
#pragma once

#include <string_view>

namespace plexsphere::signing::testing {

inline constexpr std::string_view kGoldenInstance = "000102030405060708090a0b0c0d0e0f";
inline constexpr std::string_view kGoldenHeader =
    "plexsphere-signer-journal v1 000102030405060708090a0b0c0d0e0f 1 "
    "0000000000000000000000000000000000000000000000000000000000000000 "
    "a551950ab16a216224bb1c9a051e26e5241bbe1faf97f76100e3fc30e787dfcb\n";
inline constexpr std::string_view kGoldenRecords =
    "000102030405060708090a0b0c0d0e0f 1 1767225600000 open_rotation "
    "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3 * k1 ok 1 0 "
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "
    "0000000000000000000000000000000000000000000000000000000000000000 "
    "334a6f542a071b16ee2dc76b4342533071539375977c2a93ee1b290c4910d0a6\n"
    "000102030405060708090a0b0c0d0e0f 2 1767225600125 sign "
    "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3 events k1 ok 1 2 "
    "e5a01fee14e0ed5c48714f22180f25ad8365b53f9779f79dc4a3d7e93963f94a "
    "334a6f542a071b16ee2dc76b4342533071539375977c2a93ee1b290c4910d0a6 "
    "75168563f950c38f1afb594c4afd4abc04d4f23715ff8fda743efb99631f777d\n"
    "000102030405060708090a0b0c0d0e0f 3 1767225600250 sign ? * * invariant_violation 0 1 "
    "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456 "
    "75168563f950c38f1afb594c4afd4abc04d4f23715ff8fda743efb99631f777d "
    "1c75407583878a661c2c476837cb3a0a5cb1bb237499da54cefdd10bfc117b71\n";

}  // namespace plexsphere::signing::testing
