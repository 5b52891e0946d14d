// plexsphere-signer, run for real over a seed, a state directory and a socket of its own.
//
// Not thread-safe. Owns the process and its files; both are gone with it.
#pragma once

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::e2e {

class SignerProcess {
 public:
  // `build`: the build tree with bin/ and plugins/. Starts at once. Throws with the signer's output
  // when it does not come up.
  explicit SignerProcess(std::filesystem::path build) : build_(std::move(build)) {
    const std::string seed(32, 's');
    ::chmod(files_.write("seed", seed).c_str(), 0400);
    start();
  }

  // `settings`: further lines of [context.signing].
  void start(const std::string& settings = {}) {
    const std::string here = files_.path().string();
    const auto configuration = files_.write(
        "signer.toml",
        "[plugins]\ndirectory = \"" + (build_ / "plugins").string() +
            "\"\ntrusted_owner = " + std::to_string(::getuid()) +
            "\n[http]\ndrain_delay = \"0s\"\n[context.signing]\nenabled = true\nlisten = \"" +
            target() + "\"\nseed_file = \"" + here + "/seed\"\nstate_directory = \"" +
            state().string() + "\"\n" + settings);
    const auto address = files_.path() / "addr";
    std::filesystem::remove(address);
    process_.emplace(
        build_ / "bin" / "plexsphere-signer",
        std::vector<std::string>{"--addr", "127.0.0.1:0", "--addr-file", address.string(),
                                 "--config", configuration.string()});
    const bool up = test_support::wait_until(std::chrono::seconds(30), [&] {
      return std::filesystem::exists(address) || !process_->running();
    });
    if (!up || !std::filesystem::exists(address)) {
      throw std::runtime_error("the signer does not come up:\n" + process_->err());
    }
    http_ = "http://" + test_support::read_file(address);
    http_.erase(http_.find_last_not_of(" \n") + 1);
  }

  // As systemd does it. The exit code.
  std::optional<int> stop() {
    process_->terminate();
    return process_->wait(std::chrono::seconds(30));
  }
  void kill() { process_->kill(); }
  // A signer that accepts and never answers, until `resume`. Returns once every thread stands
  // still.
  void pause() {
    process_->signal(SIGSTOP);
    if (!test_support::wait_until(std::chrono::seconds(20), [this] { return stands_still(); })) {
      throw std::runtime_error("the signer does not stand still");
    }
  }
  void resume() { process_->signal(SIGCONT); }
  // A disk that is full, or, with nothing, one that is not: no file of the signer's grows beyond so
  // many bytes.
  void limit_files(std::optional<rlim_t> bytes) {
    const rlimit limit{bytes.value_or(RLIM_INFINITY), RLIM_INFINITY};
    if (::prlimit(process_->pid(), RLIMIT_FSIZE, &limit, nullptr) != 0) {
      throw std::runtime_error("the signer's limit on files cannot be set");
    }
  }

  [[nodiscard]] std::string target() const { return "unix:" + socket().string(); }
  [[nodiscard]] std::filesystem::path socket() const {
    return files_.path() / "run" / "signer.sock";
  }
  [[nodiscard]] std::filesystem::path state() const { return files_.path() / "state"; }
  [[nodiscard]] std::string log() const { return process_->err(); }
  [[nodiscard]] const std::string& http() const { return http_; }

 private:
  // "pid (name) T …" of every thread.
  [[nodiscard]] bool stands_still() const {
    const auto tasks = "/proc/" + std::to_string(process_->pid()) + "/task";
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      const std::string stat = test_support::read_file(task.path() / "stat");
      const std::size_t name_end = stat.rfind(") ");
      if (name_end == std::string::npos || stat[name_end + 2] != 'T') {
        return false;
      }
    }
    return true;
  }

  test_support::TempDir files_;
  std::filesystem::path build_;
  std::optional<test_support::Process> process_;
  std::string http_;
};

}  // namespace plexsphere::e2e
