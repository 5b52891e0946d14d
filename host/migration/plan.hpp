// What each context needs in the database, taken from its manifest.
//
// Thread safety: values. Invariants: names are safe as SQL identifiers once quoted and at most 63
// bytes long.
#pragma once

#include <string>
#include <vector>

#include "host/config/manifest.hpp"
#include "host/migration/files.hpp"

namespace plexsphere::host::migration {

struct ContextPlan {
  std::string context;                // schema, and the stem of its roles
  std::vector<std::string> provides;  // port roles it grants on: "port_ipam"
  std::vector<std::string> uses;      // port roles it is made a member of
  std::vector<MigrationFile> files;

  [[nodiscard]] std::string role() const { return "plexsphere_" + context; }
  [[nodiscard]] std::string owner() const { return role() + "_owner"; }
};

// "px.ipam/1" → "port_ipam"; "com.example.dns/2" → "port_com_example_dns".
[[nodiscard]] std::string port_role(const std::string& port);

// The plan of one plugin; its files are read from `<directory>/migrations`. A plugin without the
// capability "schema" has no plan. Throws StoreError for files that cannot be run.
[[nodiscard]] ContextPlan plan_for(const config::Manifest& manifest);

// The host's own: schema platform, port_outbox.
[[nodiscard]] ContextPlan platform_plan();

// Platform first, then the contexts so that a provider stands before those who require it.
[[nodiscard]] std::vector<ContextPlan> plans_for(const std::vector<config::Manifest>& manifests);

}  // namespace plexsphere::host::migration
