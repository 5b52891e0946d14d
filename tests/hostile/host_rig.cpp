#include "host_rig.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "support/install_plugin.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::hostile {

using namespace std::chrono_literals;  // NOLINT: tests
using test_support::TlsClient;
using test_support::wait_until;
using test_support::WireClient;

namespace {

constexpr auto kPatience = 30s;
const std::string kReloaded = "plexsphere_tls_reloads_total{result=\"ok\"}";
const std::string kNotReloaded = "plexsphere_tls_reloads_total{result=\"failed\"}";

std::uint16_t port_in(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1)));
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

double value_in(const std::string& metrics, const std::string& series) {
  const auto line = "\n" + series + " ";
  const auto found = metrics.find(line);
  return found == std::string::npos ? -1 : std::stod(metrics.substr(found + line.size()));
}

double connections_in(const std::string& metrics, const std::string& state) {
  return value_in(metrics, "plexsphere_http_connections{state=\"" + state + "\"}");
}

}  // namespace

HostRig::HostRig(const std::string& http, const std::string& drain_delay)
    : certificate_(test_support::make_test_certificate(directory_.path())),
      tls_({.timeout = kPatience}) {
  raise_descriptor_limit();
  test_support::install_plugin(directory_.path() / "plugins", "good", PLEXSPHERE_GOOD_PLUGIN,
                               PLEXSPHERE_GOOD_MANIFEST);
  // A host that sanitizers slow down is no overloaded one that has to shed.
  const bool patient = kSanitized && http.find("max_wait ") == std::string::npos;
  const auto config = directory_.write(
      "hostile.toml",
      "[plugins]\ndirectory = \"plugins\"\ntrusted_owner = " + std::to_string(::getuid()) +
          "\n[http]\ndrain_delay = \"" + drain_delay +
          "\"\nunauthenticated_rate = 0\nmore_addrs = [\"tls:127.0.0.1:0\"]\n" +
          (patient ? "max_wait = \"20s\"\n" : "") + http + "[tls]\ncertificate = \"" +
          certificate_.certificate.string() + "\"\nkey = \"" + certificate_.key.string() +
          "\"\n[context.good]\nenabled = true\n");
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
  REQUIRE(wait_until(kPatience, [&] { return connections() == 1; }));
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

WireClient HostRig::connect(bool tls, const Origin& origin) const {
  if (!tls) {
    return WireClient(plain_port_, kPatience, origin.receive_buffer, origin.address);
  }
  return WireClient(TlsClient(
      tls_,
      test_support::connect_plain("127.0.0.1", tls_port_, origin.receive_buffer, origin.address)));
}

std::size_t HostRig::descriptors() const {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(process_->pid()) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::string HostRig::metrics() {
  std::optional<test_support::HttpResponse> answer;
  if (observer_ && observer_->send(get("/metrics"))) {
    answer = observer_->answer();
  }
  if (!answer) {  // the first time, or it was idle for too long
    observer_.emplace(connect(false));
    REQUIRE(observer_->send(get("/metrics")));
    answer = observer_->answer();
  }
  return answer.value().body;
}

double HostRig::metric(const std::string& series) {
  return value_in(metrics(), series);
}

std::size_t HostRig::refusals(const std::string& reason) {
  const double value = metric("plexsphere_http_refusals_total{reason=\"" + reason + "\"}");
  return value < 0 ? 0 : static_cast<std::size_t>(value);
}

std::size_t HostRig::connections() {
  const auto text = metrics();
  double sum = 0;
  for (const char* state : {"idle", "busy", "stream"}) {
    sum += connections_in(text, state);
  }
  return static_cast<std::size_t>(sum);
}

bool HostRig::at_rest() {
  return wait_until(kPatience, [&] {
    const auto text = metrics();  // the one that asks is there and in flight
    return connections_in(text, "idle") + connections_in(text, "busy") == 1 &&
           connections_in(text, "stream") == 0 &&
           value_in(text, "plexsphere_http_in_flight") == 1 &&
           value_in(text, "plexsphere_http_buffered_bytes") == 0 &&
           descriptors() <= descriptors_at_first_;
  });
}

std::string HostRig::figures() {
  const auto text = metrics();
  std::string out = "descriptors " + std::to_string(descriptors()) + ", at first " +
                    std::to_string(descriptors_at_first_);
  for (const char* state : {"idle", "busy", "stream"}) {
    out += std::string(", ") + state + " " + std::to_string(connections_in(text, state));
  }
  return out + ", in flight " + std::to_string(value_in(text, "plexsphere_http_in_flight"));
}

std::string HostRig::renew_certificate() {
  const double before = metric(kReloaded);
  certificate_ = test_support::make_test_certificate(directory_.path());
  process_->signal(SIGHUP);
  REQUIRE(wait_until(kPatience, [&] { return metric(kReloaded) == before + 1; }));
  return certificate_.serial;
}

void HostRig::spoil_certificate() {
  const double before = metric(kNotReloaded);
  std::ofstream(certificate_.certificate) << "no certificate\n";
  process_->signal(SIGHUP);
  REQUIRE(wait_until(kPatience, [&] { return metric(kNotReloaded) == before + 1; }));
}

int HostRig::ended() {
  return process_->wait(kPatience).value_or(-1);
}

void check_unharmed(HostRig& rig, GoodClients& good) {
  CHECK(good.are_served());
  CHECK(good.stop() == "");  // NOLINT: shows what it is instead
  CHECK(good.slowest() < kBearable);
  if (!rig.at_rest()) {
    FAIL_CHECK(rig.figures());
  }
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

std::string post(const std::string& path, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string header_of(const test_support::HttpResponse& answer, const std::string& name) {
  const auto found = answer.headers.find(name);
  return found == answer.headers.end() ? "(absent)" : found->second;
}

bool is_closed(WireClient& client) {
  try {
    while (client.take_some() > 0) {
    }
  } catch (const std::runtime_error&) {
    return false;
  }
  return true;
}

}  // namespace plexsphere::hostile
