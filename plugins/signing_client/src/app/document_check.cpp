#include "app/document_check.hpp"

#include <sodium.h>

namespace plexsphere::signing_client {
namespace {

sdk::Error untrusted(std::string detail) {
  return {sdk::Code::data_loss, "key_set_untrusted", std::move(detail)};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

sdk::Result<KeySetView> check_document(std::string_view scope, const SignedDocument& document,
                                       std::string_view document_key) {
  if (document.signature.size() != crypto_sign_BYTES ||
      document_key.size() != crypto_sign_PUBLICKEYBYTES ||
      crypto_sign_verify_detached(bytes_of(document.signature), bytes_of(document.document),
                                  document.document.size(), bytes_of(document_key)) != 0) {
    return untrusted(
        "The key set is not signed by the signer this installation has pinned; if the "
        "signer's seed was changed on purpose, replace signing_client.document_key.");
  }
  auto set = parse_key_set(document.document);
  if (!set || set->scope != scope) {
    return untrusted("The key set is malformed or belongs to another scope.");
  }
  return std::move(*set);
}

}  // namespace plexsphere::signing_client
