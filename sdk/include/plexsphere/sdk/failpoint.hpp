// Named points at which a test stops or kills this process, in builds made for tests only.
//
//   PLEXSPHERE_FAILPOINT("registration.consumed");
//
// Compiled in only where PLEXSPHERE_FAILPOINTS is defined, which the CMake function
// plexsphere_failpoints does for the files it is given, in builds that have the option of that
// name. Otherwise the macro is nothing: neither code nor the name is left.
//
// The environment variable PLEXSPHERE_FAILPOINT_DIRECTORY names the directory through which a test
// arms a point, while the process runs: it puts a file there that is called as the point and says
// "kill" or "pause". Whoever reaches the point first, of all threads and all processes, renames the
// file to "<name>.hit", and
//   kill    ends its own process by SIGKILL;
//   pause   waits until the test has removed "<name>.hit", a minute at most.
// The others pass. Thread-safe: the rename decides.
#pragma once

#ifdef PLEXSPHERE_FAILPOINTS

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace plexsphere::sdk::inline v1::detail {

inline void failpoint(const std::string& name) {
  static const char* const directory = std::getenv("PLEXSPHERE_FAILPOINT_DIRECTORY");
  if (directory == nullptr) {
    return;
  }
  const std::string armed = std::string(directory) + "/" + name;
  const std::string hit = armed + ".hit";
  if (std::rename(armed.c_str(), hit.c_str()) != 0) {
    return;
  }
  std::string action;
  std::ifstream(hit) >> action;
  if (action == "kill") {
    ::kill(::getpid(), SIGKILL);
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (::access(hit.c_str(), F_OK) == 0 && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace plexsphere::sdk::inline v1::detail

#define PLEXSPHERE_FAILPOINT(name) ::plexsphere::sdk::detail::failpoint(name)

#else

#define PLEXSPHERE_FAILPOINT(name) static_cast<void>(0)

#endif
