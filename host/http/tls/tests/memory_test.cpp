// What an idle TLS connection costs the server in resident memory. The clients live in another
// process. Each case wants a process of its own, since it would reuse what an earlier one freed:
// CMakeLists.txt sees to that.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/file.hpp"
#include "host/http/tls/tests/tls_rig.hpp"
#include "support/temp_dir.hpp"
#include "support/test_certificate.hpp"
#include "support/tls_client.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PLEXSPHERE_SANITIZED 1
#else
#define PLEXSPHERE_SANITIZED 0
#endif

namespace plexsphere::host::http::tls {
namespace {

using namespace std::chrono_literals;
using Poco::Net::StreamSocket;
using test_support::TlsClient;
using test_support::TlsClientContext;
using test_support::TlsVersion;

constexpr int kConnections = PLEXSPHERE_SANITIZED != 0 ? 100 : 2'000;
constexpr double kMostKib = 20;

double resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  double kib = 0;
  while (status >> word) {
    if (word == "VmRSS:") {
      status >> kib;
    }
  }
  return kib;
}

// The process with the clients: connects when it is told the port, sends and receives one message
// on each connection, says that it is ready, and holds on until its input ends.
class Clients {
 public:
  // Before the first thread of this process begins.
  explicit Clients(TlsVersion version) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    REQUIRE(::pipe(in.data()) == 0);
    REQUIRE(::pipe(out.data()) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::close(in[1]);
      ::close(out[0]);
      ::_exit(run(version, in[0], out[1]));
    }
    ::close(in[0]);
    ::close(out[1]);
    orders_ = in[1];
    reports_ = out[0];
  }
  ~Clients() {
    ::close(orders_);
    ::close(reports_);
    ::waitpid(child_, nullptr, 0);
  }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  void begin(std::uint16_t port) const {
    REQUIRE(::write(orders_, &port, sizeof port) == sizeof port);
  }
  bool ready() const {
    char yes = 0;
    return ::read(reports_, &yes, 1) == 1;
  }

 private:
  static int run(TlsVersion version, int orders, int reports) {
    try {
      const TlsClientContext context({.version = version, .timeout = 60s});
      std::uint16_t port = 0;
      if (::read(orders, &port, sizeof port) != sizeof port) {
        return 1;
      }
      std::vector<TlsClient> clients;
      for (int i = 0; i < kConnections; ++i) {
        clients.emplace_back(context, "127.0.0.1", port);
        clients.back().send(std::string(600, 'x'));
        if (clients.back().receive_exactly(600).size() != 600) {
          return 1;
        }
      }
      char byte = 'y';
      const bool told = ::write(reports, &byte, 1) == 1;
      return told && ::read(orders, &byte, 1) == 0 ? 0 : 1;
    } catch (const std::exception& failure) {
      std::cerr << failure.what() << '\n';
      return 1;
    }
  }

  pid_t child_ = -1;
  int orders_ = -1;
  int reports_ = -1;
};

void measure(TlsVersion version, const char* name) {
  const Clients clients(version);
  const test_support::TempDir directory;
  const auto made = test_support::make_test_certificate(directory.path());
  TlsRig rig(*Certificates::load({made.certificate, made.key}), 60s);
  std::vector<StreamSocket> idle;
  idle.reserve(kConnections);
  clients.begin(rig.port());
  double before = 0;
  for (int i = 0; i < kConnections; ++i) {
    idle.push_back(rig.take());
    const auto request = receive_exactly(idle.back(), 600);
    REQUIRE(idle.back().sendBytes(request.data(), 600) == 600);
    char byte = 0;
    REQUIRE(idle.back().receiveBytes(&byte, 1) == -1);
    if (i == 9) {
      before = resident_kib();  // what the first ones bring along is no cost of each
    }
  }
  REQUIRE(clients.ready());
  const double each = (resident_kib() - before) / (kConnections - 10);
  std::cout << name << ": " << each << " KiB of resident memory for each idle connection\n";
  if (PLEXSPHERE_SANITIZED == 0) {
    CHECK(each <= kMostKib);
  }
}

TEST_CASE("an idle TLS 1.3 connection costs at most 20 KiB", "[tls]") {
  measure(TlsVersion::k1_3, "TLS 1.3");
}

TEST_CASE("an idle TLS 1.2 connection costs at most 20 KiB", "[.][tls12]") {
  measure(TlsVersion::k1_2, "TLS 1.2");
}

void measure_crowd(std::string_view beginning, const char* name) {
  const test_support::TempDir directory;
  const auto made = test_support::make_test_certificate(directory.path());
  TlsRig rig(*Certificates::load({made.certificate, made.key}), 600s);
  const TlsClientContext context;
  const TlsClient first(context, "127.0.0.1", rig.port());
  rig.take();
  const double before = resident_kib();
  std::vector<FileDescriptor> crowd;
  for (int i = 0; i < kConnections; ++i) {
    crowd.emplace_back(test_support::connect_plain("127.0.0.1", rig.port()));
    REQUIRE(::send(crowd.back().get(), beginning.data(), beginning.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(beginning.size()));
  }
  // Served behind them, so they have been looked at when this is done.
  const TlsClient good(context, "127.0.0.1", rig.port());
  rig.take();
  REQUIRE(rig.handshakes().under_way() == static_cast<std::size_t>(kConnections));
  const double each = (resident_kib() - before) / kConnections;
  std::cout << name << ": " << each << " KiB of resident memory for each\n";
  if (PLEXSPHERE_SANITIZED == 0) {
    CHECK(each <= 2);
  }
}

TEST_CASE("a client that connects and says nothing costs at most 2 KiB", "[.][silent]") {
  measure_crowd("", "silent");
}

TEST_CASE("a client that stops within its hello costs at most 2 KiB", "[.][partial]") {
  measure_crowd(std::string_view("\x16\x03\x01\x02\x00\x01\x00", 7), "within the hello");
}

}  // namespace
}  // namespace plexsphere::host::http::tls
