extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static const char* volatile name = "crypto_sign_detached";
  return name;
}
