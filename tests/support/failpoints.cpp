#include "support/failpoints.hpp"

#include <cstdlib>

#include "support/wait_until.hpp"

namespace plexsphere::test_support {

Failpoints::Failpoints() {
  ::setenv("PLEXSPHERE_FAILPOINT_DIRECTORY", files_.path().c_str(), 1);
}

// Written aside and renamed: who reaches the point never sees half a file.
void Failpoints::arm(const std::string& point, const char* action) {
  const auto written = files_.write("arming", action);
  std::filesystem::rename(written, files_.path() / point);
}

bool Failpoints::hit(const std::string& point, std::chrono::milliseconds limit) const {
  return wait_until(limit,
                    [&] { return std::filesystem::exists(files_.path() / (point + ".hit")); });
}

void Failpoints::release(const std::string& point) {
  std::filesystem::remove(files_.path() / point);
  std::filesystem::remove(files_.path() / (point + ".hit"));
}

}  // namespace plexsphere::test_support
