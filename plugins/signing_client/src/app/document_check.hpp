// Believing a key-set document: verification of its signature, and nothing that could make one.
//
// Thread safety: pure functions.
#pragma once

#include <string_view>

#include "domain/key_set_view.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::signing_client {

// The key set of `scope` that the document holds, if `document_key` (32 raw bytes, pinned) verifies
// it. PX_DATA_LOSS, reason "key_set_untrusted", otherwise.
[[nodiscard]] sdk::Result<KeySetView> check_document(std::string_view scope,
                                                     const SignedDocument& document,
                                                     std::string_view document_key);

}  // namespace plexsphere::signing_client
