// One process as the host makes it: the real px.store, px.outbox and px.seal over a migrated
// database, this context in it, and a guest context that uses its ports.
#pragma once

#include <catch2/catch.hpp>
#include <iostream>

#include "app/ipam_port.hpp"
#include "app/peers_port.hpp"
#include "host/health/registry.hpp"
#include "host/migration/runner.hpp"
#include "host/outbox/outbox.hpp"
#include "host/persistence/statement_check.hpp"
#include "host/services/clock.hpp"
#include "host/services/data_services.hpp"
#include "host/services/store_service.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/ports/ipam.hpp"
#include "plexsphere/sdk/ports/peers.hpp"
#include "store/peer_store.hpp"
#include "store/projections.hpp"
#include "store/rotation_store.hpp"
#include "store/secret_maker.hpp"
#include "support/pg_cluster.hpp"

namespace plexsphere::mesh::test {

using namespace std::chrono_literals;

inline const std::string kKey(32, '\7');

inline host::config::Manifest manifest_of(const std::string& id) {
  host::config::Manifest manifest;
  manifest.id = id;
  manifest.capabilities.schema = true;
  manifest.capabilities.events = {"tenancy.NodeRegistered",
                                  "tenancy.NodeDeregistered",
                                  "ProjectCreated",
                                  "ProjectUpdated",
                                  "peer_registered",
                                  "peer_deregistered",
                                  "mesh.AddressPoolThresholdCrossed"};
  return manifest;
}

// Of this test program; migrated once.
inline test_support::PgCluster& cluster() {
  static test_support::PgCluster instance;
  static const bool migrated = [] {
    host::migration::ContextPlan mesh;
    mesh.context = "mesh";
    mesh.provides = {"port_ipam", "port_peers"};
    mesh.uses = {"port_outbox"};
    mesh.files = host::migration::read_migrations(MESH_MIGRATIONS);
    host::migration::ContextPlan guest;
    guest.context = "guest";
    guest.uses = {"port_ipam", "port_peers", "port_outbox"};
    host::migration::MigrateOptions options;
    options.admin_dsn = instance.dsn();
    migrate(options, {host::migration::platform_plan(), mesh, guest});
    return true;
  }();
  REQUIRE(migrated);
  return instance;
}

class Process {
 public:
  Process()
      : secrets(sdk::Seal(table<sdk::Seal>(seals_, mesh_)), clock()),
        projections(secrets, clock()) {
    REQUIRE(peers.declare(mesh_store()).ok());
    REQUIRE(rotations.declare(mesh_store()).ok());
    REQUIRE(ipam_port.declare(mesh_store()).ok());
    REQUIRE(peers_port.declare(mesh_store()).ok());
    REQUIRE(projections.declare(mesh_store()).ok());
    REQUIRE(projections.subscribe(sdk::Outbox(table<sdk::Outbox>(outbox_, mesh_))).ok());
  }

  sdk::Store mesh_store() { return sdk::Store(table<sdk::Store>(stores_, mesh_)); }
  sdk::Clock clock() { return sdk::Clock(table<sdk::Clock>(*clock_, mesh_)); }
  sdk::Transaction guest_transaction() {
    auto tx = sdk::Store(table<sdk::Store>(stores_, guest_)).begin();
    REQUIRE(tx.ok());
    return std::move(*tx);
  }
  sdk::Outbox guest_outbox() { return sdk::Outbox(table<sdk::Outbox>(outbox_, guest_)); }
  // One event of the guest in a transaction of its own.
  sdk::Status emit(const std::string& type, const sdk::Uuid& domain, const sdk::Uuid& aggregate,
                   const std::string& payload) {
    auto tx = guest_transaction();
    REQUIRE(guest_outbox().append(tx, {{}, domain, type, "node", aggregate, payload, "c-1"}).ok());
    return tx.commit();
  }

  // Statements of this context that the server does not understand as they are declared.
  std::vector<std::string> wrong_statements() {
    const auto all = store_.catalog().statements_of("mesh");
    CHECK(all.size() >= 15);
    return host::persistence::check_statements(options().pool.session, "plexsphere_mesh", all);
  }

 private:
  static host::persistence::StoreOptions options() {
    host::persistence::StoreOptions options;
    options.pool.session.dsn = cluster().dsn("postgres", "plexsphere_core");
    return options;
  }
  static host::seal::RootKey root_key() {
    host::seal::SecretBytes key(host::seal::kKeyBytes);
    for (std::size_t i = 0; i < host::seal::kKeyBytes; ++i) {
      key.span()[i] = static_cast<std::uint8_t>(i + 1);
    }
    return host::seal::RootKey(std::move(key));
  }
  template <typename Wrapper>
  static const typename Wrapper::Wire* table(host::ServiceProvider& provider,
                                             const host::PluginContext& plugin) {
    return reinterpret_cast<const typename Wrapper::Wire*>(provider.table_for(plugin));
  }

  host::telemetry::Logger log_{"plexsphere", host::telemetry::Level::kError};
  host::telemetry::Metrics metrics_;
  host::health::Registry health_;
  host::HostContext host_{log_, metrics_, health_, "plexsphere"};
  host::persistence::Store store_{options(), host::log_sink(log_)};
  host::outbox::Outbox engine_{store_};
  host::seal::Vault vault_{store_, root_key()};
  host::StoreProvider stores_{store_, host_};
  host::OutboxProvider outbox_{engine_};
  host::SealProvider seals_{vault_};
  std::unique_ptr<host::ServiceProvider> clock_ = host::services::make_clock_service();
  const host::config::Manifest mesh_manifest_ = manifest_of("mesh");
  const host::config::Manifest guest_manifest_ = manifest_of("guest");
  const host::config::Settings settings_;
  const host::PluginContext mesh_{mesh_manifest_, settings_};
  const host::PluginContext guest_{guest_manifest_, settings_};

 public:
  PeerStore peers;
  RotationStore rotations;
  SecretMaker secrets;
  IpamPort ipam_port{24h, 2s, sdk::Outbox(table<sdk::Outbox>(outbox_, mesh_))};
  PeersPort peers_port;
  Projections projections;
  sdk::Ipam ipam{reinterpret_cast<const px_ipam*>(ipam_port.table())};
  sdk::Peers snapshot{reinterpret_cast<const px_peers*>(peers_port.table())};
};

inline sdk::Uuid some_id() {
  return sdk::Uuid::v7(1'800'000'000'000);
}

// As identity does it: an address, then the event, in one transaction.
inline std::string registered(Process& process, const sdk::Uuid& domain, const sdk::Uuid& node,
                              int generation = 1, std::string mesh_ip = {}) {
  auto tx = process.guest_transaction();
  if (mesh_ip.empty()) {
    const auto address = process.ipam.allocate(tx, domain, "10.0.0.0/24", "", node);
    REQUIRE(address.ok());
    mesh_ip = *address;
  }
  const auto payload = R"({"node_id":")" + node.text() + R"(","project_id":")" + some_id().text() +
                       R"(","mesh_ip":")" + mesh_ip + R"(","public_key":")" +
                       sdk::base64_encode(kKey) + R"(","credential_generation":)" +
                       std::to_string(generation) + R"(,"kind":"vm"})";
  REQUIRE(process.guest_outbox()
              .append(tx, {{}, domain, "tenancy.NodeRegistered", "node", node, payload, "c-1"})
              .ok());
  REQUIRE(tx.commit().ok());
  return mesh_ip;
}

inline void deregistered(Process& process, const sdk::Uuid& domain, const sdk::Uuid& node) {
  REQUIRE(
      process
          .emit("tenancy.NodeDeregistered", domain, node, R"({"node_id":")" + node.text() + "\"}")
          .ok());
}

}  // namespace plexsphere::mesh::test
