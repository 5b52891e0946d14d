// Leaving without anybody noticing: readiness first, then the listener, then the process.
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "e2e/deployment.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;

namespace {

// A client of two replicas that obeys readiness as a balancer does: it asks /readyz of a replica
// before each request and goes to the other when the answer is not 200.
class BalancedClient {
 public:
  BalancedClient(std::string first, std::string second)
      : replicas_{std::move(first), std::move(second)},
        worker_([this](const std::stop_token& stop) { run(stop); }) {}

  int served() const { return served_; }
  int failed() const { return failed_; }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (const std::string& replica : replicas_) {
        if (ready(replica)) {
          request(replica);
        }
      }
    }
  }
  static bool ready(const std::string& replica) {
    try {
      return test_support::HttpClient(5s).request("GET", replica + "/readyz").status == 200;
    } catch (const std::exception&) {
      return false;
    }
  }
  void request(const std::string& replica) {
    try {
      const auto answer = test_support::HttpClient(5s).request("GET", replica + "/v1/version");
      answer.status == 200 ? ++served_ : ++failed_;
    } catch (const std::exception&) {
      ++failed_;
    }
  }

  std::vector<std::string> replicas_;
  std::atomic<int> served_{0};
  std::atomic<int> failed_{0};
  std::jthread worker_;
};

}  // namespace

TEST_CASE("one of two replicas drains under load and no request is lost", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.signer = false});
  e2e::Core& leaving = deployment.start_core("[http]\ndrain_delay = \"1s\"\n");
  e2e::Core& staying = deployment.start_core();
  BalancedClient client(leaving.url(), staying.url());
  REQUIRE(test_support::wait_until(20s, [&] { return client.served() > 20; }));

  leaving.process().signal(SIGTERM);
  const auto draining = e2e::wait_for_status(leaving.url() + "/readyz", 503, 1s);
  CHECK(draining.status == 503);
  CHECK(draining.body == R"({"status":"draining"})");
  // It refuses readiness, but not yet connections.
  CHECK(test_support::HttpClient(2s).request("GET", leaving.url() + "/v1/version").status == 200);
  CHECK(leaving.process().wait(20s) == 0);

  const int before = client.served();
  CHECK(test_support::wait_until(20s, [&] { return client.served() > before + 20; }));
  CHECK(client.failed() == 0);
}

TEST_CASE("a disabled context answers its own 501 and the others go on", "[e2e]") {
  e2e::Deployment deployment(e2e::Deployment::Options{.signer = false, .disabled = {"meta"}});
  e2e::Core& core = deployment.start_core();
  const auto answer = test_support::HttpClient(5s).request("GET", core.url() + "/v1/version");
  CHECK(answer.status == 501);
  CHECK(answer.body.find("not_provisioned") != std::string::npos);
}
