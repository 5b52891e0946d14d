#include "app/document_check.hpp"

#include "signer_rig.hpp"

namespace plexsphere::signing_client {
namespace {

using testing::DocumentSigner;
using testing::head;
using testing::key_line;
using testing::kOtherScope;
using testing::kScope;
using testing::SignerRig;

std::string refusal(const sdk::Result<KeySetView>& result) {
  if (result.ok()) {
    return "believed";
  }
  CHECK(result.error().code == sdk::Code::data_loss);
  return result.error().reason;
}

TEST_CASE("documents of the signer are believed, and no byte of one can change",
          "[signing_client]") {
  SignerRig rig;
  const SignedDocument first = *rig.open("k1");
  const SignedDocument second = *rig.open("k2", first);
  const auto one = check_document(kScope, first, first.document_key);
  const auto two = check_document(kScope, second, first.document_key);
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  CHECK(one->number == 1);
  CHECK(one->active().key_id == "k1");
  CHECK_FALSE(one->rotation);
  CHECK(two->number == 2);
  CHECK(two->active().key_id == "k2");
  REQUIRE(two->rotation);
  CHECK(two->rotation->old_key_id == "k1");

  CHECK(refusal(check_document(kOtherScope, first, first.document_key)) == "key_set_untrusted");
  CHECK(refusal(check_document(kScope, first, DocumentSigner().public_key())) ==
        "key_set_untrusted");
  CHECK(refusal(check_document(kScope, first, "")) == "key_set_untrusted");
  CHECK(refusal(check_document(kScope, first, first.document_key + "x")) == "key_set_untrusted");
  for (std::size_t at = 0; at < second.document.size(); ++at) {
    SignedDocument tampered = second;
    tampered.document[at] = static_cast<char>(tampered.document[at] ^ 1);
    CAPTURE(at);
    CHECK(refusal(check_document(kScope, tampered, second.document_key)) == "key_set_untrusted");
  }
  for (std::size_t at = 0; at < second.signature.size(); ++at) {
    SignedDocument tampered = second;
    tampered.signature[at] = static_cast<char>(tampered.signature[at] ^ 1);
    CAPTURE(at);
    CHECK(refusal(check_document(kScope, tampered, second.document_key)) == "key_set_untrusted");
  }
  SignedDocument mixed{second.document, first.signature, first.document_key};
  CHECK(refusal(check_document(kScope, mixed, first.document_key)) == "key_set_untrusted");
  mixed.signature.pop_back();
  CHECK(refusal(check_document(kScope, mixed, first.document_key)) == "key_set_untrusted");
}

// Whoever holds the document key could sign anything; what is no key set is refused all the same.
TEST_CASE("a good signature does not make a key set", "[signing_client]") {
  const DocumentSigner signer;
  const std::string active = key_line("k1", "active");
  const auto judge = [&](const std::string& document) {
    return refusal(check_document(kScope, signer.sign(document), signer.public_key()));
  };
  CHECK(judge(head() + active) == "believed");
  CHECK(judge(head() + active + key_line("k2", "active")) == "key_set_untrusted");
  CHECK(judge(head() + key_line("k1", "retired")) == "key_set_untrusted");
  CHECK(judge(head(kOtherScope) + active) == "key_set_untrusted");
  CHECK(judge("") == "key_set_untrusted");
  std::string oversize = head() + active;
  while (oversize.size() <= 64 * 1024) {
    oversize += key_line("k" + std::to_string(oversize.size()), "retired");
  }
  CHECK(judge(oversize) == "key_set_untrusted");
}

}  // namespace
}  // namespace plexsphere::signing_client
