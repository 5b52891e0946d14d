// A binary under test with a configuration and a plugin directory of its own.
#pragma once

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "support/http_client.hpp"
#include "support/install_plugin.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::apps {

using namespace std::chrono_literals;  // NOLINT: tests

inline bool has_logged(const test_support::Process& process, const std::string& text) {
  return process.err().find(text) != std::string::npos;
}

class Running {
 public:
  // `http` are further lines of the [http] section.
  explicit Running(const std::string& http = "drain_delay = \"0s\"\n") {
    test_support::install_plugin(directory_.path() / "plugins", "good", PLEXSPHERE_GOOD_PLUGIN,
                                 PLEXSPHERE_GOOD_MANIFEST);
    write_configuration("[http]\n" + http + "[context.good]\nenabled = true\n");
  }

  void write_configuration(const std::string& text) {
    directory_.write("test.toml", "[plugins]\ndirectory = \"plugins\"\ntrusted_owner = " +
                                      std::to_string(::getuid()) + "\n" + text);
  }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    return directory_.write(name, text);
  }

  std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"--addr",      "127.0.0.1:0",
                                 "--addr-file", (directory_.path() / "addr").string(),
                                 "--config",    (directory_.path() / "test.toml").string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void start(std::vector<std::string> more = {}, const char* binary = PLEXSPHERE_BARE) {
    process_ = std::make_unique<test_support::Process>(binary, arguments(std::move(more)));
    const auto file = directory_.path() / "addr";
    const bool listening = test_support::wait_until(
        30s, [&] { return std::filesystem::exists(file) || !process_->running(); });
    INFO(process_->err());
    REQUIRE(listening);
    REQUIRE(std::filesystem::exists(file));
    url_ = "http://" + test_support::read_file(file);
  }

  test_support::Completed run(std::vector<std::string> more,
                              const char* binary = PLEXSPHERE_BARE) const {
    return test_support::run(binary, arguments(std::move(more)));
  }

  // Waits until a process writes the address file; for those that start() does not start.
  bool announced() const {
    return test_support::wait_until(20s, [&] { return std::filesystem::exists(path() / "addr"); });
  }
  // Whether the process says so in its log; lines come with a delay.
  bool logs(const std::string& text) {
    return test_support::wait_until(20s, [&] { return has_logged(*process_, text); });
  }

  const std::string& url() const { return url_; }
  test_support::Process& process() { return *process_; }
  const std::filesystem::path& path() const { return directory_.path(); }
  test_support::HttpResponse get(const std::string& path) const {
    return test_support::HttpClient().request("GET", url_ + path);
  }

 private:
  test_support::TempDir directory_;
  std::unique_ptr<test_support::Process> process_;
  std::string url_;
};

}  // namespace plexsphere::host::apps
