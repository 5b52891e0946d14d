#include <sys/socket.h>

extern "C" __attribute__((visibility("default"))) const void* plexsphere_plugin_v1(void) {
  static const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  return &fd;
}
