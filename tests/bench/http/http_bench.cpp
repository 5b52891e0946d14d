// Requests per second of a plugin's route through the whole host, beside a loopback echo that sends
// answers of the same size. Same client, same connections, alternating rounds.
#include <iostream>

#include "bench/support/echo_server.hpp"
#include "bench/support/http_load.hpp"
#include "bench/support/report.hpp"
#include "e2e/deployment.hpp"

namespace {

using namespace plexsphere;
using namespace std::chrono_literals;

constexpr int kConnections = 64;
constexpr int kRounds = 5;
constexpr auto kRound = 1500ms;
constexpr double kFloor = 0.3;

std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
}

int run() {
  e2e::Deployment deployment;
  const std::uint16_t port = port_of(deployment.start_core("[log]\nlevel = \"warn\"\n").url());
  const std::string request = "GET /v1/version HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::size_t size = bench::http_load(port, request, 1, 300ms).answer_bytes;
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
  const std::size_t body = size - head.size() - 4 - std::to_string(size).size();
  bench::EchoServer echo(head + std::to_string(body) + "\r\n\r\n" + std::string(body, 'x'));

  std::vector<double> ours;
  std::vector<double> limit;
  std::uint64_t faults = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto mine = bench::http_load(port, request, kConnections, kRound);
    faults += mine.wrong_status;
    ours.push_back(mine.per_second);
    limit.push_back(bench::http_load(echo.port(), request, kConnections, kRound).per_second);
  }
  if (faults != 0) {
    std::cerr << "http: " << faults << " answers were not 2xx" << std::endl;
    return 1;
  }
  return bench::report({"http", bench::median(ours), bench::median(limit), kFloor}) ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return run();
  } catch (const std::exception& e) {
    std::cerr << "http: " << e.what() << std::endl;
    return 1;
  }
}
