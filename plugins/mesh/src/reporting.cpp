#include "reporting.hpp"

#include "app/node_intake.hpp"
#include "http/capability_list.hpp"
#include "http/intake_routes.hpp"
#include "plexsphere/sdk/seal.hpp"

namespace plexsphere::mesh {
namespace {

struct Services {
  IntakePorts ports;
  sdk::Authz authz;
  sdk::Clock clock;
  sdk::Log log;
};

// What routes and the job point to.
struct Reporting {
  Reporting(const Services& services, IntakeLimits limits)
      : intake(services.ports, limits),
        routes(intake, services.ports.audit, services.clock, services.log),
        list(intake.capabilities(), services.authz, services.ports.audit, services.log) {}

  NodeIntake intake;
  IntakeRoutes routes;
  CapabilityList list;
};

// Fetches until the first that is missing, and remembers which.
class Fetcher {
 public:
  explicit Fetcher(const sdk::Host& host) : host_(host) {}

  template <typename Wrapper>
  Fetcher& get(Wrapper& out) {
    if (status_.ok()) {
      keep(out, host_.get<Wrapper>());
    }
    return *this;
  }
  template <typename Value>
  void keep(Value& out, sdk::Result<Value> found) {
    if (found.ok()) {
      out = std::move(*found);
    } else if (status_.ok()) {
      status_ = found.error();
    }
  }
  sdk::Status status() const { return status_; }

 private:
  const sdk::Host& host_;
  sdk::Status status_;
};

}  // namespace

sdk::Status configure_reporting(const sdk::Host& host) {
  Services services;
  sdk::Config config;
  sdk::Jobs jobs;
  sdk::Router router;
  sdk::Seal seal;
  Fetcher fetch(host);
  fetch.get(services.ports.store).get(services.ports.outbox).get(services.ports.audit);
  fetch.get(services.authz).get(services.clock).get(services.log);
  fetch.get(config).get(jobs).get(router).get(seal);
  if (!fetch.status().ok()) {
    return fetch.status();
  }
  IntakeLimits limits{};
  std::chrono::milliseconds sweep_interval{};
  sdk::Secret cursor_key;
  fetch.keep(limits.endpoint_ttl, config.duration("endpoint_ttl"));
  fetch.keep(limits.report_quota, config.integer("report_quota"));
  fetch.keep(sweep_interval, config.duration("endpoint_sweep_interval"));
  fetch.keep(cursor_key, seal.derive_key("cursor"));
  if (!fetch.status().ok()) {
    return fetch.status();
  }
  auto* parts = new Reporting(services, limits);  // never freed: registrations keep it
  if (auto done = parts->intake.declare(); !done.ok()) {
    return done;
  }
  if (auto done = parts->routes.add(router); !done.ok()) {
    return done;
  }
  if (auto done = parts->list.add(router, sdk::CursorCodec(std::move(cursor_key))); !done.ok()) {
    return done;
  }
  return jobs.add("endpoint-sweep", sweep_interval, services.ports.store.wire(),
                  [parts](const sdk::JobRun& run) { return parts->intake.sweep_endpoints(run); });
}

}  // namespace plexsphere::mesh
