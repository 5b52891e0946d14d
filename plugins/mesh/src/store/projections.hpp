// Keeps this context's tables true to what others tell: each event becomes rows in the transaction
// that emits it, by one SQL call per batch. A payload that cannot be read aborts that transaction:
// better no Node than a Node nobody can see.
//
// Event                            payload members read (further ones are ignored)
//   tenancy.NodeRegistered           node_id, project_id, mesh_ip, public_key (base64),
//                                    credential_generation
//   tenancy.NodeDeregistered         node_id
//   ProjectCreated, ProjectUpdated   sub_range_cidr (absent or null: none); the Project is the
//   aggregate
//
// What agents are told of it, as `peer_registered` and `peer_deregistered`, joins the same
// transaction: a projection may append, for the outbox is written after it.
//
// Thread safety: declare and subscribe at configure; projecting on any worker.
#pragma once

#include <span>

#include "plexsphere/sdk/outbox.hpp"
#include "store/secret_maker.hpp"

namespace plexsphere::mesh {

class Projections {
 public:
  // Keeps a reference: `secrets` outlives it.
  Projections(const SecretMaker& secrets, sdk::Clock clock) : secrets_(secrets), clock_(clock) {}
  Projections(const Projections&) = delete;
  Projections& operator=(const Projections&) = delete;

  sdk::Status declare(const sdk::Store& store);
  // Must outlive the process's last transaction.
  sdk::Status subscribe(const sdk::Outbox& outbox);

 private:
  using Events = std::span<const px_event* const>;
  sdk::Status nodes_registered(px_tx* tx, Events events) const;
  sdk::Status nodes_deregistered(px_tx* tx, Events events) const;
  sdk::Status projects_changed(px_tx* tx, Events events) const;

  const SecretMaker& secrets_;
  sdk::Clock clock_;
  sdk::Outbox outbox_;
  sdk::Store store_;
  sdk::Statement registered_, deregistered_, reserved_;
};

}  // namespace plexsphere::mesh
