// Registrations per second over HTTP, beside what Argon2id alone allows on this machine at the
// configured cost and with as many threads as the machine has cores.
#include <sodium.h>

#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

#include "bench/support/report.hpp"
#include "e2e/deployment.hpp"
#include "sim/node.hpp"

namespace {

using namespace plexsphere;
using Clock = std::chrono::steady_clock;

constexpr int kNodes = 400;
constexpr int kClients = 8;
constexpr double kFloor = 0.3;
constexpr auto kLimitRun = std::chrono::seconds(4);

// The default cost of a bootstrap token: OWASP's 19 MiB, two passes.
constexpr std::size_t kMemory = std::size_t{19456} * 1024;
constexpr unsigned long long kPasses = 2;

double argon2id_per_second() {
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<int> done{0};
  const auto start = Clock::now();
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        unsigned char out[32];
        const unsigned char salt[crypto_pwhash_SALTBYTES] = {};
        while (Clock::now() - start < kLimitRun) {
          if (crypto_pwhash(out, sizeof out, "bench", 5, salt, kPasses, kMemory,
                            crypto_pwhash_ALG_ARGON2ID13) == 0) {
            ++done;
          }
        }
      });
    }
  }
  return done / std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<sim::Enrolment> prepare(const sim::Operator& op) {
  const std::string domain = op.create_domain("bench", "10.64.0.0/12");
  const std::string project = op.create_project(domain, "bench");
  std::vector<sim::Enrolment> enrolments(kNodes);
  std::atomic<int> next{0};
  std::vector<std::jthread> workers;
  for (int i = 0; i < kClients; ++i) {
    workers.emplace_back([&] {
      for (int n = next++; n < kNodes; n = next++) {
        const std::string handle = "host-" + std::to_string(n);
        op.create_resource(project, handle);
        enrolments[static_cast<std::size_t>(n)] = {project, handle, op.issue_token(project),
                                                   sim::make_nonce()};
      }
    });
  }
  workers.clear();
  return enrolments;
}

double enrolments_per_second(const std::string& url, const std::vector<sim::Enrolment>& all) {
  std::atomic<std::size_t> next{0};
  std::atomic<int> failed{0};
  const auto start = Clock::now();
  {
    std::vector<std::jthread> workers;
    for (int i = 0; i < kClients; ++i) {
      workers.emplace_back([&] {
        for (std::size_t n = next++; n < all.size(); n = next++) {
          try {
            (void)sim::Node::enrol(url, all[n]);
          } catch (const std::exception& e) {
            std::cerr << "enrol: " << e.what() << std::endl;
            ++failed;
          }
        }
      });
    }
  }
  if (failed != 0) {
    throw std::runtime_error(std::to_string(failed) + " registrations failed");
  }
  return static_cast<double>(all.size()) /
         std::chrono::duration<double>(Clock::now() - start).count();
}

int run() {
  e2e::Deployment::Options options;
  options.durable = true;
  e2e::Deployment deployment(options);
  const std::string url = deployment.start_core().url();
  const auto enrolments = prepare(deployment.op());
  const double before = argon2id_per_second();
  const double ours = enrolments_per_second(url, enrolments);
  const double after = argon2id_per_second();
  return bench::report({"enrol", ours, (before + after) / 2, kFloor}) ? 0 : 1;
}

}  // namespace

int main() {
  try {
    return sodium_init() < 0 ? 1 : run();
  } catch (const std::exception& e) {
    std::cerr << "enrol: " << e.what() << std::endl;
    return 1;
  }
}
