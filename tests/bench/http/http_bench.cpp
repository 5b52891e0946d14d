// Requests per second of a plugin's route through the whole host, everything that the host does of
// itself switched on (routing, correlation id, rate limit, metrics, access log to a file), beside
// Poco's own server, nginx, Go's net/http and a bare loopback echo with answers of the same size.
// One client, alternating rounds, medians.
#include <iostream>
#include <map>

#include "bench/support/child.hpp"
#include "bench/support/crowd.hpp"
#include "bench/support/echo_server.hpp"
#include "bench/support/http_load.hpp"
#include "bench/support/report.hpp"
#include "e2e/deployment.hpp"
#include "http/comparators.hpp"
#include "support/http_client.hpp"

namespace {

using namespace plexsphere;
using namespace std::chrono_literals;

constexpr int kRounds = 5;
constexpr auto kRound = 1200ms;
constexpr std::uint32_t kIdle = 2'000;
const std::string kRequest = "GET /v1/version HTTP/1.1\r\nHost: localhost\r\n\r\n";

constexpr const char* kSettings =
    "[log]\nlevel = \"info\"\n"
    "[http]\nmax_connections_per_address = 0\n"
    "unauthenticated_rate = 100000\nunauthenticated_burst = 1000000\n";

std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
}

// The rounds of one server.
struct Rounds {
  std::vector<double> rates, p50_us, p99_us;
  std::uint64_t wrong = 0;
  std::uint64_t served = ~std::uint64_t{0};  // connections, in the worst round

  void add(const bench::LoadResult& round) {
    rates.push_back(round.per_second);
    p50_us.push_back(round.p50_us);
    p99_us.push_back(round.p99_us);
    wrong += round.wrong_status + round.broken_connections;
    served = std::min(served, round.served);
  }
  double rate() const { return bench::median(rates); }
  double p99() const { return bench::median(p99_us); }
};

void print_row(const std::string& name, const Rounds& rounds) {
  std::fprintf(stderr, "  %-24s %9.0f/s   p50 %8.0f us   p99 %8.0f us   served %llu\n",
               name.c_str(), rounds.rate(), bench::median(rounds.p50_us), rounds.p99(),
               static_cast<unsigned long long>(rounds.served));
}

using Servers = std::vector<std::pair<std::string, std::uint16_t>>;
using Table = std::map<std::string, Rounds>;

// Every server once a round, a different one first each time.
Table contest(const Servers& servers, int connections) {
  Table table;
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < servers.size(); ++i) {
      const auto& [name, port] = servers[(i + round) % servers.size()];
      table[name].add(bench::http_load(port, kRequest, connections, kRound));
    }
  }
  std::fprintf(stderr, "%d keep-alive connections, median of %d rounds:\n", connections, kRounds);
  for (const auto& [name, port] : servers) {
    print_row(name, table[name]);
  }
  return table;
}

// The thread count with which stock Poco answers most requests over 64 connections, whether it
// serves all of them or not.
int best_thread_count(std::size_t body) {
  std::pair<double, int> best{0, 0};
  for (const int threads : {2, 4, 8, 16, 64}) {
    const auto server = bench::stock_poco(threads, body);
    const auto result = bench::http_load(server->port(), kRequest, 64, 800ms);
    std::fprintf(stderr, "  stock Poco, %2d threads: %8.0f/s, serves %llu of 64\n", threads,
                 result.per_second, static_cast<unsigned long long>(result.served));
    best = std::max(best, {result.per_second, threads});
  }
  return best.second;
}

class Bench {
 public:
  Bench()
      : ours_(port_of(deployment_.start_core(kSettings).url())),
        body_(test_support::HttpClient()
                  .request("GET", "http://127.0.0.1:" + std::to_string(ours_) + "/v1/version")
                  .body.size()),
        echo_(echo_answer()),
        nginx_(body_),
        go_(bench::go_http(body_)) {
    if (!go_) {
      std::fprintf(stderr, "go: absent\n");
    }
  }

  bool run() {
    const bool few = beside_64();
    const bool many = beside_512();
    const bool idle = beside_idle();
    return few && many && idle && faultless_;
  }

 private:
  std::string echo_answer() const {
    const std::size_t size = bench::http_load(ours_, kRequest, 1, 100ms).answer_bytes;
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
    const std::size_t body = size - head.size() - 4 - std::to_string(size).size();
    return head + std::to_string(body) + "\r\n\r\n" + std::string(body, 'x');
  }

  Servers servers(std::uint16_t stock) const {
    Servers all{{"plexsphere", ours_}, {"stock Poco", stock}, {"nginx", nginx_.port()}};
    if (go_) {
      all.emplace_back("Go net/http", go_->port());
    }
    all.emplace_back("echo (no HTTP)", echo_.port());
    return all;
  }

  bool beside_64() {
    std::fprintf(stderr, "calibration, 64 keep-alive connections:\n");
    const int threads = best_thread_count(body_);
    const auto stock = bench::stock_poco(threads, body_);
    Table table = contest(servers(stock->port()), 64);
    const Rounds& ours = checked(table["plexsphere"], 64);
    const bool poco =
        bench::report(bench::Figure{"http_64_stock_poco_" + std::to_string(threads) + "_threads",
                                    ours.rate(), table["stock Poco"].rate(), 0.9});
    const bool nginx =
        bench::report(bench::Figure{"http_64_nginx", ours.rate(), table["nginx"].rate(), 0.5});
    report_others("http_64", table);
    return poco && nginx;
  }

  bool beside_512() {
    const auto stock = bench::stock_poco(600, body_);
    Table table = contest(servers(stock->port()), 512);
    const Rounds& ours = checked(table["plexsphere"], 512);
    const Rounds& poco = table["stock Poco"];
    const bool rate = bench::report(
        bench::Figure{"http_512_stock_poco_600_threads", ours.rate(), poco.rate(), 1.05});
    const bool p99 = bench::report_cost(
        bench::Cost{"http_512_stock_poco_600_threads_p99_us", ours.p99(), poco.p99(), 1.0});
    bench::report(bench::Figure{"http_512_nginx", ours.rate(), table["nginx"].rate(), 0});
    report_others("http_512", table);
    return rate && p99;
  }

  // For the reader: these have no floor.
  void report_others(const std::string& name, Table& table) const {
    const double ours = table["plexsphere"].rate();
    if (go_) {
      bench::report(bench::Figure{name + "_go", ours, table["Go net/http"].rate(), 0});
    }
    bench::report(bench::Figure{name + "_echo", ours, table["echo (no HTTP)"].rate(), 0});
  }

  bool beside_idle() {
    const auto stock = bench::stock_poco(64, body_);
    Table table;
    for (int round = 0; round < kRounds; ++round) {
      table["ours"].add(bench::http_load(ours_, kRequest, 64, kRound));
      table["ours, idle"].add(with_idle(ours_, true));
      table["stock"].add(bench::http_load(stock->port(), kRequest, 64, 500ms));
      table["stock, idle"].add(with_idle(stock->port(), false));
    }
    std::fprintf(stderr, "64 connections beside %u idle ones, median of %d rounds:\n", kIdle,
                 kRounds);
    for (const auto& [name, rounds] : table) {
      print_row(name, rounds);
    }
    checked(table["ours"], 64);
    const Rounds& ours = checked(table["ours, idle"], 64);
    const bool kept =
        bench::report(bench::Figure{"http_beside_idle", ours.rate(), table["ours"].rate(), 0.9});
    const bool starves =
        bench::report_cost(bench::Cost{"http_beside_idle_stock_poco_64_threads",
                                       table["stock, idle"].rate(), table["stock"].rate(), 0.1});
    return kept && starves;
  }

  bench::LoadResult with_idle(std::uint16_t port, bool all_must_be_served) {
    bench::Crowd idle({.port = port, .source = 2}, kRequest, kIdle);
    if (!idle.wait_ready(all_must_be_served ? 20s : 1s) && all_must_be_served) {
      throw std::runtime_error("only " + std::to_string(idle.ready()) + " idle connections");
    }
    const auto result = bench::http_load(port, kRequest, 64, all_must_be_served ? kRound : 500ms);
    if (all_must_be_served && idle.closed() != 0) {
      throw std::runtime_error("idle connections were closed");
    }
    return result;
  }

  const Rounds& checked(const Rounds& rounds, std::uint64_t connections) {
    if (rounds.wrong != 0 || rounds.served != connections) {
      std::cerr << "http: " << rounds.wrong << " answers were wrong, and only " << rounds.served
                << " of " << connections << " connections were served" << std::endl;
      faultless_ = false;
    }
    return rounds;
  }

  e2e::Deployment deployment_;
  std::uint16_t ours_;
  std::size_t body_;
  bench::EchoServer echo_;
  bench::Nginx nginx_;
  std::unique_ptr<bench::PrintedPortServer> go_;
  bool faultless_ = true;
};

}  // namespace

int main() {
  try {
    bench::need_descriptors(4'096);
    return Bench().run() ? 0 : 1;
  } catch (const std::exception& e) {
    std::cerr << "http: " << e.what() << std::endl;
    return 1;
  }
}
