// mesh: addresses, peers, heartbeats and the state a Node pulls.
#include <memory>

#include "app/ipam_port.hpp"
#include "app/key_rotations.hpp"
#include "app/node_views.hpp"
#include "app/peers_port.hpp"
#include "app/policy_cache.hpp"
#include "app/pool_watch.hpp"
#include "http/node_routes.hpp"
#include "http/rotation_routes.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/plugin.hpp"
#include "reporting.hpp"
#include "store/peer_store.hpp"
#include "store/projections.hpp"

namespace plexsphere::mesh {
namespace {

// Everything that ports, routes and projections point to. Made at configure, never freed: their
// registrations last until the process ends.
struct Parts {
  Parts(const KeyRotations::Services& services, sdk::Seal seal, sdk::Log log,
        std::chrono::milliseconds cool_down, std::chrono::milliseconds lock_wait)
      : secrets(seal, services.clock),
        ipam(cool_down, lock_wait, services.outbox),
        pool_watch(log),
        projections(secrets, services.clock),
        policies(services.tenancy, services.clock),
        views(peers, policies),
        routes(views, services.clock, log),
        rotations(rotation_store, secrets, services),
        rotation_routes(rotations, log) {}

  PeerStore peers;
  RotationStore rotation_store;
  SecretMaker secrets;
  IpamPort ipam;
  PoolWatch pool_watch;
  PeersPort snapshot;
  Projections projections;
  PolicyCache policies;
  NodeViews views;
  NodeRoutes routes;
  KeyRotations rotations;
  RotationRoutes rotation_routes;
};

// Takes the value out of a Result or returns its error from the calling function.
#define MESH_TAKE(name, expression) \
  auto name = (expression);         \
  if (!name.ok()) {                 \
    return name.error();            \
  }

class MeshPlugin : public sdk::Plugin {
 public:
  sdk::Status configure(const sdk::Host& host) override {
    MESH_TAKE(log, host.get<sdk::Log>())
    MESH_TAKE(clock, host.get<sdk::Clock>())
    MESH_TAKE(config, host.get<sdk::Config>())
    MESH_TAKE(tenancy, host.get<sdk::Tenancy>())
    MESH_TAKE(audit, host.get<sdk::Audit>())
    MESH_TAKE(outbox, host.get<sdk::Outbox>())
    MESH_TAKE(seal, host.get<sdk::Seal>())
    MESH_TAKE(cool_down, config->duration("address_cool_down"))
    MESH_TAKE(lock_wait, config->duration("address_lock_wait"))
    parts_ = new Parts({*outbox, *audit, *tenancy, *clock}, *seal, *log, *cool_down, *lock_wait);
    if (auto declared = declare(host); !declared.ok()) {
      return declared;
    }
    if (auto watching = watch_pools(host); !watching.ok()) {
      return watching;
    }
    if (auto reporting = configure_reporting(host); !reporting.ok()) {
      return reporting;
    }
    return offer(host);
  }

 private:
  sdk::Status declare(const sdk::Host& host) {
    MESH_TAKE(store, host.get<sdk::Store>())
    for (const auto& status :
         {parts_->peers.declare(*store), parts_->rotation_store.declare(*store),
          parts_->ipam.declare(*store), parts_->snapshot.declare(*store),
          parts_->projections.declare(*store)}) {
      if (!status.ok()) {
        return status;
      }
    }
    return {};
  }

  sdk::Status watch_pools(const sdk::Host& host) {
    MESH_TAKE(store, host.get<sdk::Store>())
    MESH_TAKE(metrics, host.get<sdk::Metrics>())
    MESH_TAKE(jobs, host.get<sdk::Jobs>())
    MESH_TAKE(config, host.get<sdk::Config>())
    MESH_TAKE(interval, config->duration("pool_watch_interval"))
    if (auto done = parts_->pool_watch.declare(*store, *metrics); !done.ok()) {
      return done;
    }
    return jobs->add(
        "pool-watch", *interval, store->wire(),
        [watch = &parts_->pool_watch](const sdk::JobRun& run) { return watch->run(run); });
  }

  sdk::Status offer(const sdk::Host& host) {
    MESH_TAKE(outbox, host.get<sdk::Outbox>())
    MESH_TAKE(router, host.get<sdk::Router>())
    if (auto done = parts_->projections.subscribe(*outbox); !done.ok()) {
      return done;
    }
    for (const auto& done : {parts_->routes.add(*router), parts_->rotation_routes.add(*router)}) {
      if (!done.ok()) {
        return done;
      }
    }
    if (auto done = host.provide("px.ipam/1", parts_->ipam.table()); !done.ok()) {
      return done;
    }
    return host.provide("px.peers/1", parts_->snapshot.table());
  }

  Parts* parts_ = nullptr;
};

#undef MESH_TAKE

}  // namespace
}  // namespace plexsphere::mesh

PLEXSPHERE_PLUGIN(plexsphere::mesh::MeshPlugin, "mesh", "0.1.0");
