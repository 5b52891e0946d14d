#include "soak/drain/replica.hpp"

#include <unistd.h>

#include <stdexcept>
#include <string>

#include "soak/drain/kept_connection.hpp"
#include "support/install_plugin.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::soak {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

Replica::Replica() {
  test_support::install_plugin(directory_.path() / "plugins", "good", PLEXSPHERE_GOOD_PLUGIN,
                               PLEXSPHERE_GOOD_MANIFEST);
  directory_.write(
      "replica.toml",
      "[http]\ndrain_delay = \"" + std::to_string(kDrainDelay.count()) +
          "ms\"\nunauthenticated_rate = 0\n[plugins]\ndirectory = \"plugins\"\ntrusted_owner = " +
          std::to_string(::getuid()) + "\n[context.good]\nenabled = true\n");
}

void Replica::start() {
  const auto file = directory_.path() / "addr";
  std::filesystem::remove(file);
  const auto config = directory_.path() / "replica.toml";
  process_ = std::make_unique<test_support::Process>(
      PLEXSPHERE_BARE,
      std::vector<std::string>{"--addr", "127.0.0.1:0", "--addr-file", file.string(), "--config",
                               config.string(), "--shutdown-grace",
                               std::to_string(kGrace.count()) + "s"});
  const bool up = test_support::wait_until(std::chrono::seconds(30), [&] {
    return std::filesystem::exists(file) || !process_->running();
  });
  const std::string address = test_support::read_file(file);
  if (!up || address.empty()) {
    throw std::runtime_error("a replica did not start: " + process_->err());
  }
  port_ = static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}

double Replica::wait_for_flip(Clock::time_point since) const {
  while (milliseconds_since(since) < 1000.0 * static_cast<double>(kGrace.count())) {
    if (KeptConnection(port_).get("/readyz").status == 503) {
      return milliseconds_since(since);
    }
  }
  throw std::runtime_error("/readyz did not turn to 503");
}

Replica::Drain Replica::drain() {
  const auto signalled = Clock::now();
  process_->terminate();
  Drain out;
  out.flip_ms = wait_for_flip(signalled);
  const auto code = process_->wait(kGrace);
  out.exit_ms = milliseconds_since(signalled);
  if (code != 0) {
    throw std::runtime_error("a replica ended with " +
                             (code ? std::to_string(*code) : std::string("nothing in its grace")) +
                             ": " + process_->err());
  }
  return out;
}

}  // namespace plexsphere::soak
