extern "C" const void* a_function_of_the_host(void);

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  return a_function_of_the_host();
}
