extern "C" int PQlibVersion(void);

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static const int version = PQlibVersion();
  return &version;
}
