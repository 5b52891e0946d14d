#include "soak/drain/replica.hpp"

#include <unistd.h>

#include <optional>
#include <stdexcept>
#include <thread>

#include "support/install_plugin.hpp"
#include "support/test_certificate.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::soak {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kTlsListener = "\"addr\":\"tls:127.0.0.1:";
constexpr std::chrono::milliseconds kLook{1};   // at readiness
constexpr std::chrono::milliseconds kCome{10};  // between two that come late

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::uint16_t port_after(const std::string& text, std::size_t at) {
  return static_cast<std::uint16_t>(std::stoul(text.substr(at)));
}

}  // namespace

Replica::Replica() {
  test_support::install_plugin(directory_.path() / "plugins", "good", PLEXSPHERE_GOOD_PLUGIN,
                               PLEXSPHERE_GOOD_MANIFEST);
  const auto certificate = test_support::make_test_certificate(directory_.path());
  directory_.write(
      "replica.toml",
      "[http]\ndrain_delay = \"" + std::to_string(kDrainDelay.count()) +
          "ms\"\nunauthenticated_rate = 0\nstream_keep_alive = \"1s\"\n"
          "more_addrs = [\"tls:127.0.0.1:0\"]\n[tls]\ncertificate = \"" +
          certificate.certificate.string() + "\"\nkey = \"" + certificate.key.string() +
          "\"\n[plugins]\ndirectory = \"plugins\"\ntrusted_owner = " + std::to_string(::getuid()) +
          "\n[context.good]\nenabled = true\n");
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
  const std::string log = process_->err();  // in which the listeners stand before the file is
  const auto listener = log.find(kTlsListener);
  if (listener == std::string::npos) {
    throw std::runtime_error("a replica does not listen on TLS: " + log);
  }
  ports_ = {port_after(address, address.rfind(':') + 1),
            port_after(log, listener + std::string_view(kTlsListener).size())};
}

void Replica::wait_for_flip(Clock::time_point signalled, Drain& out) const {
  std::optional<KeptConnection> connection;
  while (milliseconds_since(signalled) < 1000.0 * static_cast<double>(kGrace.count())) {
    if (!connection) {
      connection.emplace(ports_.plain);
    }
    const auto answer = connection->get("/readyz");
    out.flip_ms = milliseconds_since(signalled);
    if (answer.status == 503) {
      return;
    }
    if (!answer.keeps) {
      connection.reset();
    }
    std::this_thread::sleep_for(kLook);
  }
  throw std::runtime_error("/readyz did not turn to 503");
}

// A connection counts as turned away when it failed before `until`, or was made before it and not
// served at all. What fails later may have met the listener's end.
void Replica::come(bool tls, Clock::time_point until, Drain& out) const {
  std::optional<KeptConnection> fresh;
  bool in_time = false;
  std::string why;
  try {
    tls ? fresh.emplace(ports_.tls, context_) : fresh.emplace(ports_.plain);
    in_time = Clock::now() < until;
    const int status = fresh->get("/v1/good/hello").status;
    if (status == 200) {
      ++out.admitted;
      return;
    }
    why = std::to_string(status);
  } catch (const std::exception& error) {
    in_time = fresh ? in_time : Clock::now() < until;
    why = error.what();
  }
  if (in_time) {
    out.turned_away.push_back((tls ? "over TLS: " : "") + why);
  }
}

void Replica::keep_coming(Clock::time_point until, Drain& out) const {
  for (bool tls = false; Clock::now() < until; tls = !tls) {
    come(tls, until, out);
    std::this_thread::sleep_for(kCome);
  }
}

Replica::Drain Replica::drain() {
  const auto signalled = Clock::now();
  process_->terminate();
  Drain out;
  wait_for_flip(signalled, out);
  // Readiness did not turn before the signal, so the listener may not close before this.
  keep_coming(signalled + kDrainDelay, out);
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
