// The routes of a Node: heartbeat, state, reachability.
#pragma once

#include "app/node_views.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::mesh {

class NodeRoutes {
 public:
  // Keeps a reference: `views` outlives it.
  NodeRoutes(NodeViews& views, sdk::Clock clock, sdk::Log log)
      : views_(views), clock_(clock), log_(log) {}
  NodeRoutes(const NodeRoutes&) = delete;
  NodeRoutes& operator=(const NodeRoutes&) = delete;

  // [init] The handlers keep this object.
  sdk::Status add(const sdk::Router& router);

  // [worker] They block on the database.
  sdk::Answer post_heartbeat(const sdk::Request& request);
  sdk::Answer get_state(const sdk::Request& request);
  sdk::Answer get_reachability(const sdk::Request& request);

 private:
  sdk::Answer refuse(const sdk::Error& error, const sdk::Request& request,
                     std::string_view not_found_code) const;

  NodeViews& views_;
  sdk::Clock clock_;
  sdk::Log log_;
};

}  // namespace plexsphere::mesh
