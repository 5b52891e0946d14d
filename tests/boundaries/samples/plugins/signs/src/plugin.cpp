#include <sodium.h>

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static unsigned char signature[crypto_sign_BYTES];
  static unsigned char key[crypto_sign_SECRETKEYBYTES];
  crypto_sign_detached(signature, nullptr, key, 1, key);
  return signature;
}
