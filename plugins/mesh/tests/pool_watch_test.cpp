// Pools that fill up, told to others by an event and to operators by gauges and log lines.
#include <sstream>

#include "app/pool_watch.hpp"
#include "host/services/log.hpp"
#include "host/services/metrics.hpp"
#include "mesh_process.hpp"

using namespace plexsphere;
using namespace plexsphere::mesh;
using namespace plexsphere::mesh::test;

namespace {

// In one transaction, which is rolled back unless `committed`.
void take(Process& process, const sdk::Uuid& domain, const std::string& cidr, int count,
          bool committed = true) {
  auto tx = process.guest_transaction();
  for (int i = 0; i < count; ++i) {
    REQUIRE(process.ipam.allocate(tx, domain, cidr, "", some_id()).ok());
  }
  if (committed) {
    REQUIRE(tx.commit().ok());
  }
}

std::string told(const sdk::Uuid& domain) {
  return cluster().query(
      "SELECT coalesce(string_agg(concat_ws(' ', aggregate_type, aggregate_id = domain_id, "
      "payload::jsonb), '; ' ORDER BY id), '') FROM platform.outbox "
      "WHERE event_type = 'mesh.AddressPoolThresholdCrossed' AND domain_id = '" +
      domain.text() + "'");
}

// What operators see.
class Watched : public Process {
 public:
  Watched() {
    REQUIRE(watch.declare(mesh_store(), metrics_wrapper()).ok());
    cluster().query("DELETE FROM mesh.address; DELETE FROM mesh.address_pool");
  }

  void look() {
    auto tx = mesh_store().begin();
    REQUIRE(tx.ok());
    REQUIRE(watch.look(*tx).ok());
  }
  // The value of the series as Prometheus reads it.
  std::string gauge(const std::string& series) const {
    const std::string text = seen_metrics_.render();
    const auto at = text.find("\nplexsphere_mesh_" + series + " ");
    REQUIRE(at != std::string::npos);
    const auto value = text.find(' ', at) + 1;
    return text.substr(value, text.find('\n', value) - value);
  }
  // What was logged since the last time.
  std::string logged() {
    seen_log_.flush(1s);
    auto text = lines_.str();
    lines_.str("");
    return text;
  }

 private:
  sdk::Metrics metrics_wrapper() {
    return sdk::Metrics(reinterpret_cast<const px_metrics*>(metrics_->table_for(plugin_)));
  }
  sdk::Log log_wrapper() {
    return sdk::Log(reinterpret_cast<const px_log*>(log_service_->table_for(plugin_)));
  }

  std::ostringstream lines_;
  host::telemetry::Logger seen_log_{"plexsphere", host::telemetry::Level::kInfo, lines_};
  host::telemetry::Metrics seen_metrics_;
  host::health::Registry health_;
  host::HostContext host_{seen_log_, seen_metrics_, health_, "plexsphere"};
  const host::config::Manifest manifest_ = manifest_of("mesh");
  const host::config::Settings settings_;
  const host::PluginContext plugin_{manifest_, settings_};
  std::unique_ptr<host::ServiceProvider> log_service_ = host::services::make_log_service(host_);
  std::unique_ptr<host::ServiceProvider> metrics_ = host::services::make_metrics_service(host_);

 public:
  PoolWatch watch{log_wrapper()};
};

}  // namespace

TEST_CASE("a pool that passes a threshold is told of in the transaction that takes it there",
          "[mesh][pools]") {
  Process process;
  const auto domain = some_id();
  take(process, domain, "10.0.0.0/29", 3);
  CHECK(told(domain).empty());
  take(process, domain, "10.0.0.0/29", 2, false);
  CHECK(told(domain).empty());
  take(process, domain, "10.0.0.0/29", 1);
  const std::string first =
      R"(domain t {"pool": "10.0.0.0/29", "used": 4, "percent": 80, "capacity": 5})";
  CHECK(told(domain) == first);
  take(process, domain, "10.0.0.0/29", 1);
  CHECK(told(domain) ==
        first + R"(; domain t {"pool": "10.0.0.0/29", "used": 5, "percent": 95, "capacity": 5})");
}

TEST_CASE("every statement of the pools is right in the server's eyes", "[mesh][pools]") {
  Watched process;
  CHECK(process.wrong_statements().empty());
}

TEST_CASE("gauges show the fullest pools by rank, and how many are past each threshold",
          "[mesh][pools]") {
  Watched process;
  process.look();
  CHECK(process.gauge("pools") == "0");
  CHECK(process.gauge("pool_used_ratio{rank=\"1\"}") == "0");

  const auto fuller = some_id();
  take(process, some_id(), "10.1.0.0/24", 23);
  take(process, fuller, "10.0.0.0/29", 5);
  take(process, some_id(), "10.0.0.0/29", 4);
  process.look();
  CHECK(process.gauge("pools") == "3");
  CHECK(process.gauge("pools_past_threshold{percent=\"80\"}") == "2");
  CHECK(process.gauge("pools_past_threshold{percent=\"95\"}") == "1");
  CHECK(process.gauge("pool_used_ratio{rank=\"1\"}") == "1");
  CHECK(process.gauge("pool_used_addresses{rank=\"3\"}") == "23");
  CHECK(process.gauge("pool_capacity_addresses{rank=\"3\"}") == "253");
  CHECK(process.gauge("pool_used_ratio{rank=\"4\"}") == "0");

  cluster().query("UPDATE mesh.address SET released_at = now() WHERE domain_id = '" +
                  fuller.text() + "'");
  process.look();
  CHECK(process.gauge("pool_used_ratio{rank=\"1\"}") == "0.8");
  CHECK(process.gauge("pools_past_threshold{percent=\"95\"}") == "0");
}

TEST_CASE("operators read once that a pool fills up, with cause and remedy, and that it has eased",
          "[mesh][pools]") {
  Watched process;
  const auto domain = some_id();
  std::vector<sdk::Uuid> nodes;
  for (int i = 0; i < 4; ++i) {
    nodes.push_back(some_id());
    registered(process, domain, nodes.back(), 1);
  }
  process.look();
  CHECK(process.logged().empty());

  const auto small = some_id();
  auto tx = process.guest_transaction();
  for (const auto& node : nodes) {
    REQUIRE(process.ipam.release(tx, node).ok());
    REQUIRE(process.ipam.allocate(tx, small, "10.2.0.0/29", "", node).ok());
  }
  process.look();
  CHECK(process.logged().empty());  // not committed
  REQUIRE(tx.commit().ok());
  process.look();
  const auto line = process.logged();
  for (const auto* part :
       {R"("event":"address_pool_filling")", R"("pool":"10.2.0.0/29")", R"("percent":"80")",
        R"("used":"4")", R"("capacity":"5")", R"("cause":)", R"("remedy":)", R"("level":"warn")"}) {
    CHECK(line.find(part) != std::string::npos);
  }
  CHECK(line.find(small.text()) != std::string::npos);
  process.look();
  CHECK(process.logged().empty());

  take(process, small, "10.2.0.0/29", 1);
  process.look();
  CHECK(process.logged().find(R"("percent":"95")") != std::string::npos);

  auto leaving = process.guest_transaction();
  for (const auto& node : nodes) {
    REQUIRE(process.ipam.release(leaving, node).ok());
  }
  REQUIRE(leaving.commit().ok());
  process.look();
  CHECK(process.logged().find("address_pool_eased") != std::string::npos);
}
