// meta: what this process is and how it is, for anybody who asks.
#include "plexsphere/sdk/plugin.hpp"
#include "http/meta_routes.hpp"

namespace plexsphere::meta {
namespace {

class MetaPlugin : public sdk::Plugin {
 public:
  sdk::Status configure(const sdk::Host& host) override {
    const auto info = host.get<sdk::Info>();
    const auto health = host.get<sdk::Health>();
    const auto clock = host.get<sdk::Clock>();
    const auto log = host.get<sdk::Log>();
    const auto router = host.get<sdk::Router>();
    for (const auto* missing :
         {info.ok() ? nullptr : &info.error(), health.ok() ? nullptr : &health.error(),
          clock.ok() ? nullptr : &clock.error(), log.ok() ? nullptr : &log.error(),
          router.ok() ? nullptr : &router.error()}) {
      if (missing != nullptr) {
        return *missing;
      }
    }
    // Never freed: its routes last until the process ends.
    routes_ = new MetaRoutes(*info, *health, *clock, *log);
    return routes_->add(*router);
  }

  sdk::Status start() override { return routes_->check_fragments(); }

 private:
  MetaRoutes* routes_ = nullptr;
};

}  // namespace
}  // namespace plexsphere::meta

PLEXSPHERE_PLUGIN(plexsphere::meta::MetaPlugin, "meta", "0.1.0");
