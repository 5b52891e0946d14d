// Arms failpoints (plexsphere/sdk/failpoint.hpp) of the programs that this one starts.
//
// Not thread-safe. Make it before the programs: they inherit its directory from our environment.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "support/temp_dir.hpp"

namespace plexsphere::test_support {

class Failpoints {
 public:
  Failpoints();

  void arm_kill(const std::string& point) { arm(point, "kill"); }
  void arm_pause(const std::string& point) { arm(point, "pause"); }
  // Whether somebody has reached the armed point, within the limit.
  [[nodiscard]] bool hit(const std::string& point, std::chrono::milliseconds limit) const;
  // Lets who pauses there go on; disarms the point when nobody has reached it.
  void release(const std::string& point);

 private:
  void arm(const std::string& point, const char* action);

  TempDir files_;
};

}  // namespace plexsphere::test_support
