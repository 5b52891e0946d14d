extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  return nullptr;
}

extern "C" __attribute__((visibility("default"))) int a_second_door(void) {
  return 2;
}
