// AWS Signature Version 4 from the verifying side, written from the published description and on
// OpenSSL alone, so that it shares nothing with what signs.
//
// Strict where a store may be lax: every header but those a proxy may touch has to be signed, and
// the body's hash has to be given for S3 and to be right. Thread-safe: no state.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "raw_server.hpp"

namespace plexsphere::test_support {

struct SigV4Expectation {
  std::string region = "us-east-1";
  std::string service = "s3";
  // The secret of an access key id, or nothing.
  std::function<std::optional<std::string>(const std::string&)> secret;
  std::chrono::system_clock::time_point now;  // dates may differ from it by 15 minutes
};

// The error code S3 would answer with, or empty for a request that is signed as it should be.
[[nodiscard]] std::string sigv4_refusal(const RawRequest& request,
                                        const SigV4Expectation& expected);

// What has to stand after "Signature=" for these signed headers; the date is X-Amz-Date's.
[[nodiscard]] std::string sigv4_signature(const RawRequest& request,
                                          const std::vector<std::string>& signed_headers,
                                          const std::string& region, const std::string& service,
                                          const std::string& secret);

[[nodiscard]] std::string hex_sha256(const std::string& bytes);

}  // namespace plexsphere::test_support
