// The routes of mesh-key rotation: the operator's request and its preview, the Node's completion.
#pragma once

#include "app/key_rotations.hpp"
#include "plexsphere/sdk/problems.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::mesh {

class RotationRoutes {
 public:
  // Keeps a reference: `rotations` outlives it.
  RotationRoutes(KeyRotations& rotations, sdk::Log log) : rotations_(rotations), log_(log) {}
  RotationRoutes(const RotationRoutes&) = delete;
  RotationRoutes& operator=(const RotationRoutes&) = delete;

  // [init] The handlers keep this object.
  sdk::Status add(const sdk::Router& router);

  // [worker] They block on the database.
  sdk::Answer post_rotation(const sdk::Request& request);
  sdk::Answer get_preview(const sdk::Request& request);
  sdk::Answer post_new_key(const sdk::Request& request);

 private:
  sdk::Answer failed(const sdk::Error& error, const sdk::Request& request) const;

  KeyRotations& rotations_;
  sdk::Log log_;
};

// What a Node is told when its key was not taken, or nothing for an outage. Pure, any thread.
std::optional<sdk::Problem> completion_refusal(const sdk::Error& error);

}  // namespace plexsphere::mesh
