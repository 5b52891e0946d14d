#include "support/process.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <system_error>
#include <thread>

#include "support/wait_until.hpp"

using namespace std::chrono_literals;
using plexsphere::test_support::Process;
using plexsphere::test_support::run;
using plexsphere::test_support::wait_until;

TEST_CASE("run returns the exit code and both outputs apart", "[support]") {
  const auto done = run("/bin/sh", {"-c", "echo to-out; echo to-err >&2; exit 7"});
  CHECK(done.code == 7);
  CHECK(done.out == "to-out\n");
  CHECK(done.err == "to-err\n");
}

TEST_CASE("a signal that ended the process shows as 128 plus its number", "[support]") {
  Process process("/bin/sleep", {"60"});
  CHECK_FALSE(process.wait(20ms).has_value());
  process.terminate();
  CHECK(process.wait(10s) == 128 + SIGTERM);
  CHECK_FALSE(process.running());
}

TEST_CASE("run throws and kills what does not end in time", "[support]") {
  CHECK_THROWS_WITH(run("/bin/sleep", {"60"}, {}, 50ms),
                    Catch::Contains("did not end within 50 ms"));
}

TEST_CASE("a program that does not exist is an error at once", "[support]") {
  CHECK_THROWS_AS(Process("/nonexistent/program", {}), std::system_error);
}

TEST_CASE("environment is added to ours and the working directory is honoured", "[support]") {
  Process::Options options;
  options.environment = {{"PX_PROBE", "seen"}};
  options.directory = "/usr";
  const auto done = run("/bin/sh", {"-c", "echo $PX_PROBE $PWD ${PATH:+path}"}, options);
  CHECK(done.out == "seen /usr path\n");
}

TEST_CASE("the destructor leaves no process behind", "[support]") {
  pid_t pid = -1;
  {
    const Process process("/bin/sleep", {"60"});
    pid = process.pid();
    CHECK(::kill(pid, 0) == 0);
  }
  CHECK(::kill(pid, 0) == -1);
}

TEST_CASE("a child outlives the thread that asked for it", "[support]") {
  std::unique_ptr<Process> process;
  std::thread([&process] {
    process = std::make_unique<Process>("/bin/sleep", std::vector<std::string>{"60"});
  }).join();
  // The kernel's parent-death signal comes with the end of the forking thread: give it a chance.
  CHECK_FALSE(process->wait(100ms).has_value());
}

TEST_CASE("wait_until asks at least once and reports the last answer", "[support]") {
  int asked = 0;
  CHECK_FALSE(wait_until(0ms, [&asked] { return ++asked < 0; }));
  CHECK(asked == 1);
  CHECK(wait_until(10s, [&asked] { return ++asked > 3; }));
}
