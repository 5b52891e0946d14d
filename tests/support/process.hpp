// A program under test, run for real: its own process, its output in files, gone with the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "spawn.hpp"
#include "temp_dir.hpp"

namespace plexsphere::test_support {

// Owns one child process. Not thread-safe. Killed and reaped in the destructor, by process id.
// Invariant: after wait() has returned a code, the process id is never used again.
class Process {
 public:
  struct Options {
    std::map<std::string, std::string> environment;  // added to ours, or replacing ours
    std::filesystem::path directory;                 // working directory; empty keeps ours
    std::optional<detail::UserIds> user;             // run as this user; needs root
  };

  // Starts `program` (a path, not searched for) at once. Throws std::system_error if it cannot run.
  Process(const std::filesystem::path& program, std::vector<std::string> arguments,
          Options options);
  Process(const std::filesystem::path& program, std::vector<std::string> arguments);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // False once the process has ended; it is then reaped.
  [[nodiscard]] bool running();
  // Sends a signal; does nothing when the process has ended.
  void signal(int number);
  void terminate();  // SIGTERM: asks it to end, does not wait
  void kill();       // SIGKILL, and waits until it is gone
  // The exit code, or 128 + signal number as a shell says it; nothing when still running at the
  // limit.
  [[nodiscard]] std::optional<int> wait(std::chrono::milliseconds limit);
  // What it has written so far.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;
  [[nodiscard]] std::filesystem::path out_file() const { return files_.path() / "out"; }
  [[nodiscard]] std::filesystem::path err_file() const { return files_.path() / "err"; }

 private:
  TempDir files_;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

struct Completed {
  int code;
  std::string out;
  std::string err;
};

// Runs a program to its end. Throws std::runtime_error, naming it and what it wrote, when it is
// not done within `limit`; the program is killed then.
[[nodiscard]] Completed run(const std::filesystem::path& program,
                            std::vector<std::string> arguments, Process::Options options = {},
                            std::chrono::milliseconds limit = std::chrono::seconds(60));

}  // namespace plexsphere::test_support
