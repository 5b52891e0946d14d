#include "host/apps/runtime/process.hpp"

#include <signal.h>  // NOLINT: sigwait, sigprocmask
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "host/base/build_info.hpp"
#include "host/base/file.hpp"
#include "host/config/duration.hpp"

namespace plexsphere::host::apps {
namespace {

struct Flags {
  Config config;
  std::string grace = "0";
  bool version = false;
  bool check = false;
};

void declare(CLI::App& parser, Flags& flags, const Profile& profile) {
  parser.add_option("--addr", flags.config.addr,
                    "Listen address, host:port, unix:/path or tls:host:port (default " +
                        profile.default_addr + ")");
  parser.add_option("--addr-file", flags.config.addr_file,
                    "File to write the bound address to, once listening");
  parser.add_option("--config", flags.config.config_file,
                    "Configuration file (default " + profile.default_config.string() + ")");
  parser.add_option("--shutdown-grace", flags.grace,
                    "Longest time a shutdown may take, e.g. 30s; 0 keeps the default of 25s");
  parser.add_flag("--check-config", flags.check, "Check the configuration and exit");
  parser.add_flag("--version", flags.version, "Print version, commit and date and exit");
}

// "30s", or a bare number of seconds.
bool parse_grace(const std::string& text, std::chrono::milliseconds& out) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds <= 86'400) {
    out = std::chrono::seconds(seconds);
    return true;
  }
  const auto duration = config::parse_duration(text);
  if (duration) {
    out = *duration;
  }
  return duration.has_value();
}

// Keeps what is in memory out of core dumps and away from ptrace by others of the same user. The
// error names what the kernel refused.
Status close_to_debuggers() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return {Code::kFailedPrecondition,
            "the kernel refused to make the process undumpable: " + error_text(errno)};
  }
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) {
    return {Code::kFailedPrecondition,
            "the kernel refused to switch core dumps off: " + error_text(errno)};
  }
  return {};
}

// The signals are blocked in every thread, because all others inherit this mask, and taken by one:
// the first SIGTERM or SIGINT asks for a drain, the second ends the process at once, and SIGHUP has
// read again what can be.
void watch_signals(std::stop_source stop, std::shared_ptr<Reloads> reloads) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([stop, signals, reloads = std::move(reloads)]() mutable {
    for (;;) {
      int number = 0;
      ::sigwait(&signals, &number);
      if (number == SIGHUP) {
        reloads->ask();
      } else if (!stop.request_stop()) {
        std::_Exit(kExitForced);
      }
    }
  }).detach();
}

}  // namespace

int main_with(const Profile& profile, int argc, char** argv) {
  if (profile.holds_secrets) {
    if (const auto closed = close_to_debuggers(); !closed) {
      std::cerr << closed.message() << '\n';
      return kExitFailed;
    }
  }
  Flags flags;
  CLI::App parser(profile.service);
  declare(parser, flags, profile);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser.exit(error) == 0 ? kExitClean : kExitFailed;
  }
  if (flags.version) {
    const BuildInfo& build = build_info();
    std::cout << "version=" << build.version << " commit=" << build.commit << " date=" << build.date
              << '\n';
    return kExitClean;
  }
  if (!parse_grace(flags.grace, flags.config.shutdown_grace)) {
    std::cerr << "--shutdown-grace '" << flags.grace
              << "' is no duration: write 30s, or 0 for the default\n";
    return kExitFailed;
  }
  App app(profile);
  if (flags.check) {
    return app.check(flags.config);
  }
  auto sockets = take_inherited_sockets();
  if (!sockets) {
    std::cerr << sockets.status().message() << '\n';
    return kExitFailed;
  }
  flags.config.sockets = std::move(*sockets);
  flags.config.reloads = std::make_shared<Reloads>();
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes fails the write, not the process
  const std::stop_source stop;
  watch_signals(stop, flags.config.reloads);
  const int code = app.run(stop.get_token(), flags.config);
  if (code == kExitForced) {
    std::_Exit(code);
  }
  return code;
}

}  // namespace plexsphere::host::apps
