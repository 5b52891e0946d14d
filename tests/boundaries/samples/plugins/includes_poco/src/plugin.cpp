#include <Poco/Version.h>

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static const unsigned version = POCO_VERSION;
  return &version;
}
