// Database roles, schemas and grants: least privilege, made from manifests.
//
//   plexsphere_core             login, no privilege of its own, NOINHERIT; may become:
//   plexsphere_<context>        runtime role of a context: what its migrations grant it
//   plexsphere_<context>_owner  owns the schema, runs its migrations, never used at run time
//   port_<name>                 may execute the functions that a provider grants to it
//
// Thread safety: none; one administrative session. Idempotent: run it as often as you like.
#pragma once

#include <string>
#include <vector>

#include "host/migration/plan.hpp"
#include "host/persistence/session.hpp"

namespace plexsphere::host::migration {

struct LoginRole {
  std::string name = "plexsphere_core";
  std::string scram_verifier;  // empty: leave the password alone (peer, certificate, trust)
};

// Requires a session of a superuser with a transaction open. Closes the ways around SET ROLE for
// everybody in this database: set_config, pg_settings and functions that run text as SQL.
// Throws StoreError(PX_PERMISSION_DENIED, "not_superuser") when the session is not one.
void establish_roles(persistence::Session& session, const std::vector<ContextPlan>& plans,
                     const LoginRole& login);

}  // namespace plexsphere::host::migration
