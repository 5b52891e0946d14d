#include "host_rig.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

#include "support/install_plugin.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::hostile {

using namespace std::chrono_literals;  // NOLINT: tests
using test_support::wait_until;

namespace {

constexpr auto kPatience = 30s;

std::uint16_t port_in(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}

}  // namespace

HostRig::HostRig(const std::string& http)
    : certificate_(test_support::make_test_certificate(directory_.path())) {
  test_support::install_plugin(directory_.path() / "plugins", "good", PLEXSPHERE_GOOD_PLUGIN,
                               PLEXSPHERE_GOOD_MANIFEST);
  const auto config = directory_.write(
      "hostile.toml",
      "[plugins]\ndirectory = \"plugins\"\ntrusted_owner = " + std::to_string(::getuid()) +
          "\n[http]\ndrain_delay = \"0s\"\nunauthenticated_rate = 0\n"
          "more_addrs = [\"tls:127.0.0.1:0\"]\n" +
          http + "[tls]\ncertificate = \"" + certificate_.certificate.string() + "\"\nkey = \"" +
          certificate_.key.string() + "\"\n[context.good]\nenabled = true\n");
  const auto address = directory_.path() / "addr";
  process_ = std::make_unique<test_support::Process>(
      PLEXSPHERE_BARE, std::vector<std::string>{"--addr", "127.0.0.1:0", "--addr-file",
                                                address.string(), "--config", config.string()});
  const bool up = wait_until(
      kPatience, [&] { return std::filesystem::exists(address) || !process_->running(); });
  INFO(process_->err());
  REQUIRE((up && process_->running()));
  plain_port_ = port_in(test_support::read_file(address));
  tls_port_ = logged_port("\"addr\":\"tls:127.0.0.1:");
  for (const bool tls : {false, true}) {
    auto client = connect(tls);
    REQUIRE(client.send(get("/v1/good/later")));
    REQUIRE(client.answer().value().status == 200);
  }
  REQUIRE(wait_until(kPatience, [&] {
    return metric("plexsphere_http_connections{state=\"idle\"}") == 0 &&
           metric("plexsphere_http_connections{state=\"busy\"}") == 1;
  }));
  descriptors_at_first_ = descriptors();
}

std::uint16_t HostRig::logged_port(const std::string& before) const {
  std::string log;
  REQUIRE(wait_until(kPatience, [&] {
    log = process_->err();
    return log.find(before) != std::string::npos;
  }));
  return static_cast<std::uint16_t>(std::stoul(log.substr(log.find(before) + before.size())));
}

test_support::WireClient HostRig::connect(bool tls) const {
  return tls ? test_support::WireClient(tls_port_, tls_)
             : test_support::WireClient(plain_port_, kPatience);
}

std::size_t HostRig::descriptors() const {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(process_->pid()) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

double HostRig::metric(const std::string& series) const {
  const auto url = "http://127.0.0.1:" + std::to_string(plain_port_) + "/metrics";
  const auto text = test_support::HttpClient(kPatience).request("GET", url).body;
  const auto line = "\n" + series + " ";
  const auto found = text.find(line);
  return found == std::string::npos ? -1 : std::stod(text.substr(found + line.size()));
}

bool HostRig::at_rest() const {
  return wait_until(kPatience, [&] {
    // The one that asks is busy and in flight.
    return descriptors() <= descriptors_at_first_ &&
           metric("plexsphere_http_connections{state=\"idle\"}") == 0 &&
           metric("plexsphere_http_connections{state=\"busy\"}") == 1 &&
           metric("plexsphere_http_connections{state=\"stream\"}") == 0 &&
           metric("plexsphere_http_in_flight") == 1 &&
           metric("plexsphere_http_buffered_bytes") == 0;
  });
}

std::string HostRig::figures() const {
  std::string out = "descriptors " + std::to_string(descriptors()) + ", at first " +
                    std::to_string(descriptors_at_first_);
  for (const char* state : {"idle", "busy", "stream"}) {
    const auto series = std::string("plexsphere_http_connections{state=\"") + state + "\"}";
    out += std::string(", ") + state + " " + std::to_string(metric(series));
  }
  return out + ", in flight " + std::to_string(metric("plexsphere_http_in_flight"));
}

std::string HostRig::renew_certificate() {
  const std::string done = "plexsphere_tls_reloads_total{result=\"ok\"}";
  const double before = metric(done);
  certificate_ = test_support::make_test_certificate(directory_.path());
  process_->signal(SIGHUP);
  REQUIRE(wait_until(kPatience, [&] { return metric(done) == before + 1; }));
  return certificate_.serial;
}

std::optional<int> HostRig::leave() {
  process_->terminate();
  return process_->wait(kPatience);
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string header_of(const test_support::HttpResponse& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "(absent)" : found->second;
}

}  // namespace plexsphere::hostile
