// The process behind both binaries: configuration, plugins, HTTP, drain.
//
// Thread safety: run is called once, from one thread; the stop token may be triggered from any.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "host/apps/runtime/reloads.hpp"
#include "host/apps/runtime/socket_activation.hpp"
#include "host/loader/inventory.hpp"
#include "host/services/extension.hpp"

namespace plexsphere::host::apps {

// What distinguishes one binary from the other. Fixed at compile time.
struct Profile {
  std::string service;                   // of every log line: "plexsphere", "plexsphere-signer"
  std::string default_addr;              // ":8080", ":8081"
  std::filesystem::path default_config;  // may be missing
  std::string dropin_directory;          // beside the main file
  loader::LoadPolicy load_policy;
  std::vector<std::string> essential_plugins;  // default of [plugins] essential
  Extension extension;
  bool streams = true;         // whether px.stream is offered
  bool holds_secrets = false;  // no core dumps, and closed to debuggers of the same user
};

// What the command line and the supervisor say.
struct Config {
  std::string addr;                             // empty: [http] addr
  std::filesystem::path addr_file;              // empty: none
  std::chrono::milliseconds shutdown_grace{0};  // 0: kDefaultGrace
  std::filesystem::path config_file;     // empty: the profile's default, which may be missing
  std::vector<InheritedSocket> sockets;  // instead of any address; the run owns them
  std::shared_ptr<Reloads> reloads;      // shared with whoever takes SIGHUP; null: nobody does
};

inline constexpr std::chrono::milliseconds kDefaultGrace{25'000};

enum ExitCode { kExitClean = 0, kExitFailed = 1, kExitForced = 2 };

class App {
 public:
  explicit App(Profile profile) : profile_(std::move(profile)) {}

  // Runs until `stop` is requested, then drains: readiness 503, drain_delay, listener closed and
  // streams told to reconnect, in-flight requests done, plugins drained and stopped. All of it
  // within the grace; past it connections are cut and the answer is kExitForced. kExitFailed when
  // it could not start.
  //
  // After kExitForced threads of handlers that never came back may still run: leave the process
  // without running destructors (std::_Exit).
  int run(std::stop_token stop, const Config& config);

  // What --check-config does: reads everything, loads certificate and enabled plugins, creates
  // none. Prints one line for each problem on standard error, or one on standard output. Exit code.
  int check(const Config& config);

 private:
  Profile profile_;
};

}  // namespace plexsphere::host::apps
