// What a context may do: the standard library, JSON, a hash, the SDK, its own domain.
#include <sodium.h>

#include <nlohmann/json.hpp>
#include <string>

#include "domain/greeting.hpp"
#include "plexsphere/sdk/uuid.hpp"

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static unsigned char digest[crypto_generichash_BYTES];
  const std::string text = nlohmann::json{{"greeting", greeting()}}.dump();
  crypto_generichash(digest, sizeof digest, reinterpret_cast<const unsigned char*>(text.data()),
                     text.size(), nullptr, 0);
  return digest;
}
