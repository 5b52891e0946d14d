// The context's rows and its port through the real px.store, migrated and with the roles of
// production; "guest" is another context that requires px.tenancy/1.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "app/services.hpp"
#include "app/tenancy_port.hpp"
#include "host/health/registry.hpp"
#include "host/migration/runner.hpp"
#include "host/persistence/statement_check.hpp"
#include "host/services/data_services.hpp"
#include "host/services/store_service.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/sdk/ports/tenancy.hpp"
#include "store/node_projection.hpp"
#include "support/pg_cluster.hpp"

using namespace plexsphere;
using namespace plexsphere::tenancy;

namespace {

test_support::PgCluster& cluster() {
  static test_support::PgCluster instance;
  static const bool migrated = [] {
    host::migration::ContextPlan tenancy;
    tenancy.context = "tenancy";
    tenancy.provides = {"port_tenancy"};
    tenancy.files = host::migration::read_migrations(TENANCY_MIGRATIONS);
    host::migration::ContextPlan guest;
    guest.context = "guest";
    guest.uses = {"port_tenancy", "port_outbox"};
    host::migration::MigrateOptions options;
    options.admin_dsn = instance.dsn();
    migrate(options, {host::migration::platform_plan(), tenancy, guest});
    return true;
  }();
  REQUIRE(migrated);
  return instance;
}

host::config::Manifest manifest_of(const std::string& id) {
  host::config::Manifest manifest;
  manifest.id = id;
  manifest.capabilities.schema = true;
  return manifest;
}

sdk::Uuid fresh() {
  return sdk::Uuid::v7(1'800'000'000'000);
}

// A slug nobody else has; a /16 of its own below 10.0.0.0/8, handed out in turn.
std::string fresh_slug() {
  return "s-" + fresh().text();
}
std::string fresh_pool() {
  static std::atomic<int> next = 0;
  return "10." + std::to_string(next++) + ".0.0/16";
}

class Process {
 public:
  Process() {
    services.store = store_of(tenancy_);
    REQUIRE(services.domains.declare(services.store).ok());
    REQUIRE(services.projects.declare(services.store).ok());
    REQUIRE(services.resources.declare(services.store).ok());
    REQUIRE(nodes.declare(services.store).ok());
  }

  template <typename Work>
  sdk::Status in_transaction(Work work) {
    auto tx = services.store.begin();
    REQUIRE(tx.ok());
    if (sdk::Status done = work(*tx); !done.ok()) {
      return done;
    }
    return tx->commit();
  }
  sdk::Status add(DomainRow& row) {
    return in_transaction([&](auto& tx) { return services.domains.insert(tx, row); });
  }
  sdk::Status add(ProjectRow& row, const std::string& pool) {
    return in_transaction([&](auto& tx) -> sdk::Status {
      auto done = services.projects.insert(tx, row);
      return done.ok() && row.sub_range_cidr ? services.projects.reserve(tx, row, pool) : done;
    });
  }
  sdk::Status add(ResourceRow& row) {
    return in_transaction([&](auto& tx) { return services.resources.insert(tx, row); });
  }
  DomainRow domain(const std::string& pool) {
    DomainRow row{fresh(), "D", fresh_slug(), "", std::nullopt, pool, {}, {}, {}};
    REQUIRE(add(row).ok());
    return row;
  }
  ProjectRow project(const DomainRow& domain, const std::string& slug,
                     std::optional<std::string> range = {}) {
    ProjectRow row{fresh(), domain.id, "P", slug, "", std::move(range), {}, {}};
    REQUIRE(add(row, domain.mesh_cidr).ok());
    return row;
  }
  ResourceRow resource(const ProjectRow& project, std::optional<std::string> ref) {
    ResourceRow row{fresh(),        project.domain_id, project.id, "vm",
                    std::move(ref), "adopted",         {},         {}};
    REQUIRE(add(row).ok());
    return row;
  }

  sdk::Transaction guest_transaction() {
    auto tx = store_of(guest_).begin();
    REQUIRE(tx.ok());
    return std::move(*tx);
  }
  std::vector<std::string> wrong_statements() {
    const auto all = store_.catalog().statements_of("tenancy");
    CHECK(all.size() == 21);
    return host::persistence::check_statements(options().pool.session, "plexsphere_tenancy", all);
  }

  Services services;
  NodeProjection nodes;
  TenancyPort provider{services};
  sdk::Tenancy port{reinterpret_cast<const px_tenancy*>(provider.table())};

 private:
  static host::persistence::StoreOptions options() {
    host::persistence::StoreOptions options;
    options.pool.session.dsn = cluster().dsn("postgres", "plexsphere_core");
    return options;
  }
  sdk::Store store_of(const host::PluginContext& plugin) {
    return sdk::Store(reinterpret_cast<const px_store*>(stores_.table_for(plugin)));
  }

  host::telemetry::Logger log_{"plexsphere", host::telemetry::Level::kError};
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_{log_, metrics_, health_, "plexsphere"};
  host::persistence::Store store_{options(), host::log_sink(log_)};
  host::StoreProvider stores_{store_, host_};
  const host::config::Manifest tenancy_manifest_ = manifest_of("tenancy");
  const host::config::Manifest guest_manifest_ = manifest_of("guest");
  const host::config::Settings settings_;
  const host::PluginContext tenancy_{tenancy_manifest_, settings_};
  const host::PluginContext guest_{guest_manifest_, settings_};
};

std::string refused(const sdk::Status& status) {
  return status.ok() ? "done" : status.error().reason;
}

}  // namespace

TEST_CASE("every statement of this context is right in the server's eyes", "[tenancy][store]") {
  Process process;
  CHECK(process.wrong_statements() == std::vector<std::string>{});
}

TEST_CASE("a Domain is read back as it was written", "[tenancy][store]") {
  Process process;
  DomainRow row{fresh(), "Acme \xC3\x84", fresh_slug(), "text", "eu-1", fresh_pool(), {}, {}, {}};
  row.reachability.heartbeat_interval = std::chrono::seconds(10);
  REQUIRE(process.add(row).ok());
  const auto found = process.services.domains.find(row.id);
  REQUIRE(found.ok());
  CHECK(found->name == row.name);
  CHECK(found->region == row.region);
  CHECK(found->mesh_cidr == row.mesh_cidr);
  CHECK(found->reachability == row.reachability);
  CHECK(found->created_at == row.created_at);
  CHECK(process.services.domains.find(fresh()).error().reason == "domain_not_found");
}

TEST_CASE("slugs are unique, pools do not overlap, in either family and from either side",
          "[tenancy][store]") {
  Process process;
  const auto first = process.domain("172.16.0.0/16");
  const auto add = [&](const std::string& slug, const std::string& pool) {
    DomainRow row{fresh(), "D", slug, "", std::nullopt, pool, {}, {}, {}};
    const auto foreseen = refused(process.services.domains.foresee_conflict(slug, pool));
    const auto met = refused(process.add(row));
    CHECK(foreseen == met);
    return met;
  };
  CHECK(add(first.slug, "172.17.0.0/16") == "domain_slug_conflict");
  CHECK(add(fresh_slug(), "172.16.0.0/16") == "mesh_cidr_overlap");
  CHECK(add(fresh_slug(), "172.16.9.0/24") == "mesh_cidr_overlap");
  CHECK(add(fresh_slug(), "172.0.0.0/8") == "mesh_cidr_overlap");
  CHECK(add(fresh_slug(), "fd00:1::/48") == "done");
  CHECK(add(fresh_slug(), "fd00:1:0:5::/64") == "mesh_cidr_overlap");
}

TEST_CASE("of fifty overlapping Domains at once, exactly one is made", "[tenancy][store][race]") {
  Process process;
  std::atomic<int> made = 0;
  std::atomic<int> overlapping = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back([&, i] {
      DomainRow row{fresh(), "D", fresh_slug(), "", std::nullopt, "", {}, {}, {}};
      row.mesh_cidr = i % 2 == 0 ? "192.168.0.0/16" : "192.168.128.0/17";
      const auto done = with_retries([&] { return process.add(row); });
      made += done.ok() ? 1 : 0;
      overlapping += refused(done) == "mesh_cidr_overlap" ? 1 : 0;
    });
  }
  for (auto& client : clients) {
    client.join();
  }
  CHECK(made == 1);
  CHECK(overlapping == 49);
}

TEST_CASE("a Project needs its Domain, a slug of its own there, and a range of its own",
          "[tenancy][store]") {
  Process process;
  const std::string pool = fresh_pool();  // 10.n.0.0/16
  const std::string base = pool.substr(0, pool.size() - 6);
  const auto domain = process.domain(pool);
  const auto other = process.domain(fresh_pool());
  process.project(domain, "p", base + "8.0/24");
  process.project(other, "p");
  const auto add = [&](const sdk::Uuid& parent, const std::string& slug,
                       std::optional<std::string> range = {}) {
    ProjectRow row{fresh(), parent, "P", slug, "", std::move(range), {}, {}};
    return refused(process.add(row, pool));
  };
  CHECK(add(domain.id, "p") == "project_slug_conflict");
  CHECK(add(fresh(), "q") == "parent_domain_missing");
  CHECK(add(domain.id, "q", base + "8.128/25") == "sub_range_overlap");
  CHECK(add(domain.id, "q", base + "0.0/16") == "sub_range_overlap");
  CHECK(add(domain.id, "q", base + "9.0/24") == "done");
}

TEST_CASE("the tables keep a range inside its pool whatever the code says", "[tenancy][store]") {
  Process process;
  const std::string pool = fresh_pool();
  const auto domain = process.domain(pool);
  const auto other = process.domain(fresh_pool());
  ProjectRow row{fresh(), domain.id, "P", "out", "", "100.64.0.0/24", {}, {}};
  CHECK(refused(process.add(row, pool)) == "reservations_inside_pool");
  row.id = fresh();
  row.sub_range_cidr = other.mesh_cidr;  // another Domain's pool passed off as this one's
  CHECK(refused(process.add(row, other.mesh_cidr)) == "mesh_cidr_changed");
  const std::string inside = pool.substr(0, pool.size() - 6) + "1.0/24";
  process.project(domain, "in", inside);
  CHECK_THROWS_WITH(cluster().query("UPDATE tenancy.domains SET mesh_cidr = '100.65.0.0/16' "
                                    "WHERE id = '" +
                                    domain.id.text() + "'"),
                    Catch::Contains("reservations_inside_pool"));
}

TEST_CASE("Projects are listed by slug, of one Domain or all, page by page", "[tenancy][store]") {
  Process process;
  const auto domain = process.domain(fresh_pool());
  const auto other = process.domain(fresh_pool());
  for (const char* slug : {"b", "a", "c-2", "c-10", "d"}) {
    process.project(domain, slug);
  }
  process.project(other, "b");
  ProjectPosition after;
  std::string seen;
  for (int page = 0; page < 3; ++page) {
    const auto rows = process.services.projects.list(domain.id, after, 2);
    REQUIRE(rows.ok());
    for (const auto& row : *rows) {
      seen += row.slug + " ";
      after = {row.slug, row.id};
    }
  }
  CHECK(seen == "a b c-10 c-2 d ");
  const auto all = process.services.projects.list(std::nullopt, {"a", sdk::Uuid{}}, 200);
  CHECK(all->size() >= 6);
}

TEST_CASE("a handle is unique in its Project, and Resources are listed oldest first",
          "[tenancy][store]") {
  Process process;
  const auto domain = process.domain(fresh_pool());
  const auto project = process.project(domain, "p");
  const auto sibling = process.project(domain, "q");
  const auto first = process.resource(project, "i-1");
  process.resource(sibling, "i-1");
  process.resource(project, std::nullopt);
  process.resource(project, std::nullopt);
  ResourceRow twin{fresh(), domain.id, project.id, "vm", "i-1", "adopted", {}, {}};
  CHECK(refused(process.add(twin)) == "external_ref_conflict");
  twin.project_id = fresh();
  CHECK(refused(process.add(twin)) == "project_not_found");
  const auto rows = process.services.resources.list(project.id, {}, 200);
  REQUIRE(rows->size() == 3);
  CHECK(std::is_sorted(rows->begin(), rows->end(),
                       [](const auto& a, const auto& b) { return a.id < b.id; }));
  CHECK(process.services.resources.list(project.id, (*rows)[1].id, 200)->size() == 1);
  CHECK(process.services.resources.find(first.id)->external_ref == "i-1");
  CHECK(process.services.resources.find(fresh()).error().reason == "resource_not_found");
}

TEST_CASE("the port finds a Resource by handle, by id, and by id as a handle", "[tenancy][port]") {
  Process process;
  const std::string pool = fresh_pool();
  const auto domain = process.domain(pool);
  const std::string range = pool.substr(0, pool.size() - 6) + "4.0/24";
  const auto project = process.project(domain, "p", range);
  const auto sibling = process.project(domain, "q");
  const auto named = process.resource(project, "i-1");
  const auto nameless = process.resource(project, std::nullopt);
  const auto by_handle = process.port.find_resource(project.id, "i-1", {});
  REQUIRE(by_handle.ok());
  CHECK(by_handle->resource_id == named.id);
  CHECK(by_handle->domain_id == domain.id);
  CHECK(by_handle->project_id == project.id);
  CHECK(by_handle->resource_kind == "vm");
  CHECK(by_handle->resource_handle == "i-1");
  CHECK(by_handle->mesh_cidr == pool);
  CHECK(by_handle->sub_range_cidr == range);
  CHECK(process.port.find_resource(project.id, "", named.id)->resource_handle == "i-1");
  const auto by_id_text = process.port.find_resource(project.id, nameless.id.text(), {});
  REQUIRE(by_id_text.ok());
  CHECK(by_id_text->resource_handle == nameless.id.text());
  CHECK(process.port.find_resource(project.id, "i-2", {}).error().reason == "resource_not_found");
  CHECK(process.port.find_resource(sibling.id, "i-1", {}).error().reason == "resource_not_found");
  CHECK(process.port.find_resource(sibling.id, "", named.id).error().reason ==
        "resource_not_found");
  CHECK(process.port.find_resource(fresh(), "i-1", {}).error().reason == "project_not_found");
  CHECK(process.port.project_domain(project.id).value() == domain.id);
  CHECK(process.port.project_domain(fresh()).error().reason == "project_not_found");
  CHECK(process.port.reachability_policy(domain.id)->stale_after == std::chrono::seconds(90));
  CHECK(process.port.reachability_policy(fresh()).error().reason == "domain_not_found");
}

TEST_CASE("a pinned Resource stays until the other context's transaction ends", "[tenancy][port]") {
  Process process;
  const auto project = process.project(process.domain(fresh_pool()), "p");
  const auto resource = process.resource(project, "i-1");
  const std::string remove =
      "SET lock_timeout = '200ms'; DELETE FROM tenancy.resources WHERE id = '" +
      resource.id.text() + "'";
  {
    auto tx = process.guest_transaction();
    const auto pinned = process.port.pin_resource(tx, resource.id);
    REQUIRE(pinned.ok());
    CHECK(pinned->resource_handle == "i-1");
    CHECK(pinned->sub_range_cidr.empty());
    CHECK_THROWS_WITH(cluster().query(remove), Catch::Contains("lock timeout"));
  }
  (void)cluster().query(remove);
  auto tx = process.guest_transaction();
  CHECK(process.port.pin_resource(tx, resource.id).error().reason == "resource_not_found");
}

TEST_CASE("a Resource can go when no live Node stands on it", "[tenancy][store]") {
  Process process;
  const auto project = process.project(process.domain(fresh_pool()), "p");
  const auto resource = process.resource(project, "i-1");
  const auto remove = [&] {
    return process.in_transaction([&](auto& tx) -> sdk::Status {
      auto removed = process.services.resources.remove(tx, resource.id);
      return removed.ok() ? sdk::Status() : sdk::Status(removed.error());
    });
  };
  const std::string node = fresh().text();
  const std::string registered =
      "SET ROLE plexsphere_guest; SELECT tenancy.port_project_nodes_registered(ARRAY['" + node +
      "'::uuid], ARRAY['" + resource.id.text() + "'::uuid])";
  (void)cluster().query(registered);
  (void)cluster().query(registered);  // a replayed registration tells it twice
  CHECK(refused(remove()) == "resource_not_empty");
  (void)cluster().query(
      "SET ROLE plexsphere_guest; SELECT tenancy.port_project_nodes_deregistered(ARRAY['" + node +
      "'::uuid])");
  CHECK(remove().ok());
  CHECK(refused(remove()) == "resource_not_found");
}

TEST_CASE("another context sees the port's function and no table", "[tenancy][isolation]") {
  Process process;
  for (const char* table : {"domains", "projects", "project_mesh_ip_reservations", "resources"}) {
    CHECK_THROWS_WITH(
        cluster().query("SET ROLE plexsphere_guest; SELECT * FROM tenancy." + std::string(table)),
        Catch::Contains("permission denied"));
  }
  for (const char* change : {"UPDATE tenancy.domains SET name = 'x'",
                             "DELETE FROM tenancy.projects", "TRUNCATE tenancy.resources"}) {
    CHECK_THROWS_WITH(cluster().query("SET ROLE plexsphere_tenancy; " + std::string(change)),
                      Catch::Contains("permission denied"));
  }
}
