// fork and exec, for Process and PgCluster only; tests use those.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace plexsphere::test_support::detail {

// A user to become before exec; needs root.
struct UserIds {
  uid_t user;
  gid_t group;
};

struct SpawnRequest {
  std::vector<std::string> argv;         // argv[0] is the path of the program, not searched for
  std::vector<std::string> environment;  // complete, "NAME=value"
  std::string directory;                 // working directory; empty keeps ours
  std::string out;                       // file for standard output, truncated
  std::string err;                       // file for standard error, truncated
  std::optional<UserIds> user;
};

// Starts the program and returns its process id. Standard input is /dev/null. The child is killed
// by the kernel when this process dies in whatever way, so that a test stopped by ctest leaves
// nothing running. Throws std::system_error when fork or exec fails. Thread-safe.
[[nodiscard]] pid_t spawn(const SpawnRequest& request);

}  // namespace plexsphere::test_support::detail
