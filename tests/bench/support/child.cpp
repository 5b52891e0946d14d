#include "bench/support/child.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <system_error>

#include "support/wait_until.hpp"

namespace plexsphere::bench {

namespace {

[[noreturn]] void run_body(const std::function<void()>& body) noexcept {
  int code = 0;
  try {
    body();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench: a process of the benchmark failed: %s\n", e.what());
    code = 1;
  }
  std::fflush(nullptr);
  ::_exit(code);
}

void become(const std::vector<std::string>& command, const std::string& log) {
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  std::vector<char*> argv;
  for (const std::string& argument : command) {
    argv.push_back(const_cast<char*>(argument.c_str()));  // exec takes char* and writes nothing
  }
  argv.push_back(nullptr);
  if (out >= 0 && ::dup2(out, 1) >= 0 && ::dup2(out, 2) >= 0) {
    ::execv(argv[0], argv.data());
  }
  throw std::system_error(errno, std::generic_category(), "cannot run " + command[0]);
}

}  // namespace

void need_descriptors(std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (limit.rlim_max < count || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw std::runtime_error("a process may open " + std::to_string(limit.rlim_max) +
                             " descriptors here, and this needs " + std::to_string(count) +
                             ": raise the hard limit (ulimit -Hn)");
  }
}

Child::Child(const std::function<void()>& body, int ending) : ending_(ending) {
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, ending);
    run_body(body);
  }
}

Child::Child(std::vector<std::string> command, const std::string& log, int ending)
    : Child([&] { become(command, log); }, ending) {}

Child::~Child() {
  if (!running()) {
    return;
  }
  ::kill(pid_, ending_);
  if (!test_support::wait_until(std::chrono::seconds(10), [this] { return !running(); })) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

bool Child::running() {
  if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) {
    pid_ = -1;
  }
  return pid_ > 0;
}

void Child::finish(std::chrono::milliseconds limit) {
  if (!test_support::wait_until(limit, [this] { return !running(); })) {
    throw std::runtime_error("a process of the benchmark does not come to its end");
  }
  if (!WIFEXITED(status_) || WEXITSTATUS(status_) != 0) {
    throw std::runtime_error("a process of the benchmark failed");
  }
}

void* detail::map_shared(std::size_t size) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "mmap");
  }
  return at;
}

void detail::unmap_shared(void* at, std::size_t size) noexcept {
  ::munmap(at, size);
}

}  // namespace plexsphere::bench
