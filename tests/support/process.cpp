#include "process.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "wait_until.hpp"

namespace plexsphere::test_support {
namespace {

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& additions) {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const auto equals = text.find('=');
    if (equals != std::string::npos) {
      all[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  for (const auto& [name, value] : additions) {
    all[name] = value;
  }
  std::vector<std::string> result;
  for (const auto& [name, value] : all) {
    result.push_back(name + "=" + value);
  }
  return result;
}

int shell_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Process::Process(const std::filesystem::path& program, std::vector<std::string> arguments)
    : Process(program, std::move(arguments), Options{}) {}

Process::Process(const std::filesystem::path& program, std::vector<std::string> arguments,
                 Options options) {
  detail::SpawnRequest request;
  request.argv.push_back(program.string());
  for (auto& argument : arguments) {
    request.argv.push_back(std::move(argument));
  }
  request.environment = merged_environment(options.environment);
  request.directory = options.directory.string();
  request.out = out_file().string();
  request.err = err_file().string();
  request.user = options.user;
  pid_ = detail::spawn(request);
}

Process::~Process() {
  kill();
}

bool Process::running() {
  if (code_) {
    return false;
  }
  int status = 0;
  const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
  if (ended == pid_) {
    code_ = shell_code(status);
  } else if (ended < 0) {
    throw std::system_error(errno, std::generic_category(), "waitpid");
  }
  return !code_;
}

void Process::signal(int number) {
  if (running()) {
    ::kill(pid_, number);
  }
}

void Process::terminate() {
  signal(SIGTERM);
}

void Process::kill() {
  if (code_) {
    return;
  }
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  code_ = shell_code(status);
}

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  (void)wait_until(limit, [this] { return !running(); });
  return code_;
}

std::string Process::out() const {
  return read_file(out_file());
}

std::string Process::err() const {
  return read_file(err_file());
}

Completed run(const std::filesystem::path& program, std::vector<std::string> arguments,
              Process::Options options, std::chrono::milliseconds limit) {
  Process process(program, std::move(arguments), std::move(options));
  const auto code = process.wait(limit);
  if (!code) {
    throw std::runtime_error(program.string() + " did not end within " +
                             std::to_string(limit.count()) + " ms; it wrote: " + process.err());
  }
  return {*code, process.out(), process.err()};
}

}  // namespace plexsphere::test_support
