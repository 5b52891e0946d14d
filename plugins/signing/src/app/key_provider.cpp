#include "app/key_provider.hpp"

namespace plexsphere::signing {

std::string_view purpose_name(Purpose purpose) {
  return purpose == Purpose::kEvents ? "events" : "checkpoints";
}

KeyName document_key_name() {
  return {"key-sets", "signer", "key-sets-1"};
}

}  // namespace plexsphere::signing
