// The tenancy context: Domains, Projects, Resources.
#include "plexsphere/sdk/plugin.hpp"

#include <memory>

#include "app/create_domain.hpp"
#include "app/residency.hpp"
#include "app/services.hpp"
#include "app/tenancy_port.hpp"
#include "http/routes.hpp"
#include "plexsphere/sdk/ports/tenancy.hpp"
#include "store/node_projection.hpp"

namespace plexsphere::tenancy {
namespace {

// Takes what the host offers; the first thing missing ends it.
class Obtaining {
 public:
  explicit Obtaining(const sdk::Host& host) : host_(host) {}

  template <typename Wrapper>
  Obtaining& take(Wrapper& into) {
    if (status_.ok()) {
      auto found = host_.get<Wrapper>();
      if (found.ok()) {
        into = *found;
      } else {
        status_ = found.error();
      }
    }
    return *this;
  }
  const sdk::Status& status() const { return status_; }

 private:
  const sdk::Host& host_;
  sdk::Status status_;
};

}  // namespace

class TenancyPlugin final : public sdk::Plugin {
 public:
  sdk::Status configure(const sdk::Host& host) override {
    sdk::Router router;
    Obtaining obtaining(host);
    obtaining.take(services_.log)
        .take(services_.clock)
        .take(services_.store)
        .take(services_.outbox)
        .take(services_.audit)
        .take(services_.authz)
        .take(services_.signing)
        .take(seal_)
        .take(router);
    if (!obtaining.status().ok()) {
      return obtaining.status();
    }
    if (auto declared = declare_statements(); !declared.ok()) {
      return declared;
    }
    if (auto subscribed = nodes_.subscribe(services_.outbox); !subscribed.ok()) {
      return subscribed;
    }
    if (auto registered = register_residency(); !registered.ok()) {
      return registered;
    }
    if (auto added = routes_.add_to(router); !added.ok()) {
      return added;
    }
    return host.provide(sdk::Tenancy::kName, port_.table());
  }

  sdk::Status start() override {
    auto key = seal_.derive_key("cursor");
    if (!key.ok()) {
      return key.error();
    }
    routes_.use_cursor_key(std::move(*key));
    services_.executor.start(2);
    return {};
  }

  sdk::Status drain(std::chrono::milliseconds deadline) override {
    const auto until = std::chrono::steady_clock::now() + deadline;
    if (create_domain_.wait_idle(until) && services_.executor.wait_idle(until)) {
      return {};
    }
    return sdk::Error{sdk::Code::deadline_exceeded, "drain", "Domains are still being created."};
  }

  void stop() override {
    // The signer's completions come back to this object: none may be outstanding when it goes.
    (void)create_domain_.wait_idle(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    services_.executor.stop();
  }

 private:
  sdk::Status declare_statements() {
    if (auto done = services_.domains.declare(services_.store); !done.ok()) {
      return done;
    }
    if (auto done = services_.projects.declare(services_.store); !done.ok()) {
      return done;
    }
    if (auto done = nodes_.declare(services_.store); !done.ok()) {
      return done;
    }
    return services_.resources.declare(services_.store);
  }

  sdk::Status register_residency() {
    const auto& audit = services_.audit;
    if (auto done = audit.resolve_with(
            "domain", [this](std::string_view id) { return residency_.of_domain(id); });
        !done.ok()) {
      return done;
    }
    if (auto done = audit.resolve_with(
            "project", [this](std::string_view id) { return residency_.of_project(id); });
        !done.ok()) {
      return done;
    }
    return audit.resolve_with("resource",
                              [this](std::string_view id) { return residency_.of_resource(id); });
  }

  Services services_;
  NodeProjection nodes_;
  sdk::Seal seal_;
  CreateDomain create_domain_{services_};
  Residency residency_{services_};
  TenancyPort port_{services_};
  Routes routes_{services_, create_domain_};
};

}  // namespace plexsphere::tenancy

PLEXSPHERE_PLUGIN(plexsphere::tenancy::TenancyPlugin, "tenancy", "0.1.0");
