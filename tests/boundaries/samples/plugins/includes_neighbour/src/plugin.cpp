#include "../../well_behaved/src/domain/greeting.hpp"

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static const std::string text = greeting();
  return &text;
}
