#include "bench/support/bare_host.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "support/install_plugin.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::bench {

using namespace std::chrono_literals;  // NOLINT: tests
namespace fs = std::filesystem;
using test_support::read_file;

namespace {

std::uint64_t resident_now(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) {
      return std::stoull(line.substr(6)) * 1024;
    }
  }
  throw std::runtime_error("the host is gone");
}

}  // namespace

BareHost::BareHost(const Options& options) : tls_(options.tls) {
  test_support::install_plugin(directory_.path() / "plugins", "good", PLEXSPHERE_GOOD_PLUGIN,
                               PLEXSPHERE_GOOD_MANIFEST);
  write_configuration(options);
  const auto address = directory_.path() / "addr";
  const std::vector<std::string> arguments{
      "--addr",   tls_ ? "tls:127.0.0.1:0" : "127.0.0.1:0",   "--addr-file", address.string(),
      "--config", (directory_.path() / "bench.toml").string()};
  process_ = std::make_unique<test_support::Process>(PLEXSPHERE_BARE, arguments);
  (void)test_support::wait_until(30s, [&] { return fs::exists(address) || !process_->running(); });
  const std::string bound = read_file(address);
  if (bound.empty() || !process_->running()) {
    throw std::runtime_error("the host does not listen:\n" + process_->err());
  }
  port_ = static_cast<std::uint16_t>(std::stoul(bound.substr(bound.rfind(':') + 1)));
}

BareHost::~BareHost() = default;

void BareHost::write_configuration(const Options& options) const {
  directory_.write(
      "bench.toml",
      "[plugins]\ndirectory = \"plugins\"\ntrusted_owner = " + std::to_string(::getuid()) +
          "\n[http]\ndrain_delay = \"0s\"\n" + options.http + (tls_ ? make_certificate() : "") +
          "[context.good]\nenabled = true\n");
}

// The section of the configuration that names it.
std::string BareHost::make_certificate() const {
  const std::string certificate = (directory_.path() / "tls.pem").string();
  const std::string key = (directory_.path() / "tls.key").string();
  const auto made = test_support::run(
      "/usr/bin/openssl",
      {"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
       "-days", "30", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate});
  if (made.code != 0) {
    throw std::runtime_error("openssl makes no certificate: " + made.err);
  }
  ::chmod(key.c_str(), 0600);
  return "[tls]\ncertificate = \"" + certificate + "\"\nkey = \"" + key + "\"\n";
}

std::uint64_t BareHost::resident_bytes() const {
  std::uint64_t last = resident_now(process_->pid());
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(150ms);
    const std::uint64_t now = resident_now(process_->pid());
    if (now == last) {
      return now;
    }
    last = now;
  }
  return last;
}

std::size_t BareHost::descriptors() const {
  const fs::path directory = "/proc/" + std::to_string(process_->pid()) + "/fd";
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

}  // namespace plexsphere::bench
