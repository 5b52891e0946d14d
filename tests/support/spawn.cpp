#include "spawn.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <future>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace plexsphere::test_support::detail {
namespace {

// Everything the child needs, laid out before fork: between fork and exec only async-signal-safe
// calls are allowed, and allocating is not.
struct Prepared {
  std::vector<char*> argv;
  std::vector<char*> environment;
  int in, out, err, report;  // report: write end of the pipe that carries exec's errno
};

[[noreturn]] void report_and_exit(int pipe) {
  const int code = errno;
  [[maybe_unused]] const auto written = ::write(pipe, &code, sizeof code);
  ::_exit(127);
}

bool become(const UserIds& ids) {
  return ::setgroups(0, nullptr) == 0 && ::setgid(ids.group) == 0 && ::setuid(ids.user) == 0;
}

[[noreturn]] void run_child(const SpawnRequest& request, const Prepared& prepared) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (request.user && !become(*request.user)) {
    report_and_exit(prepared.report);
  }
  // After the change of user, which clears it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    report_and_exit(prepared.report);
  }
  if (!request.directory.empty() && ::chdir(request.directory.c_str()) != 0) {
    report_and_exit(prepared.report);
  }
  if (::dup2(prepared.in, 0) < 0 || ::dup2(prepared.out, 1) < 0 || ::dup2(prepared.err, 2) < 0) {
    report_and_exit(prepared.report);
  }
  ::execve(prepared.argv[0], prepared.argv.data(), prepared.environment.data());
  report_and_exit(prepared.report);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const auto& string : strings) {
    result.push_back(const_cast<char*>(string.c_str()));  // exec takes char* and writes nothing
  }
  result.push_back(nullptr);
  return result;
}

class Descriptor {
 public:
  Descriptor(int fd, const std::string& what) : fd_(fd) {
    if (fd < 0) {
      throw std::system_error(errno, std::generic_category(), what);
    }
  }
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) {
      ::close(std::exchange(fd_, -1));
    }
  }

 private:
  int fd_;
};

int open_output(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

pid_t fork_and_exec(const SpawnRequest& request) {
  const Descriptor in(::open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null");
  const Descriptor out(open_output(request.out), "open " + request.out);
  const Descriptor err(open_output(request.err), "open " + request.err);
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  const Descriptor read_end(ends[0], "pipe");
  Descriptor write_end(ends[1], "pipe");
  const Prepared prepared{
      pointers(request.argv), pointers(request.environment), in.get(), out.get(), err.get(),
      write_end.get()};
  const pid_t child = ::fork();
  if (child < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (child == 0) {
    run_child(request, prepared);
  }
  write_end.close();
  int code = 0;
  if (::read(read_end.get(), &code, sizeof code) == static_cast<ssize_t>(sizeof code)) {
    ::waitpid(child, nullptr, 0);
    throw std::system_error(code, std::generic_category(), "cannot run " + request.argv.at(0));
  }
  return child;
}

// The kernel sends the parent-death signal when the *thread* that forked ends. So one thread forks
// for all, and lives as long as the process.
class Forker {
 public:
  Forker() {
    std::thread([this] { loop(); }).detach();
  }

  pid_t fork(const SpawnRequest& request) {
    std::packaged_task<pid_t()> task([&request] { return fork_and_exec(request); });
    auto result = task.get_future();
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
    return result.get();
  }

 private:
  [[noreturn]] void loop() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !tasks_.empty(); });
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::packaged_task<pid_t()>> tasks_;
};

}  // namespace

pid_t spawn(const SpawnRequest& request) {
  static auto* forker = new Forker;  // never destroyed: its thread outlives static destructors
  return forker->fork(request);
}

}  // namespace plexsphere::test_support::detail
