#include "domain/document.hpp"

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static const Document document;
  return &document;
}
