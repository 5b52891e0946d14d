// A plugin's manifest, `plugin.toml`: what the plugin is, needs, offers and may do.
//
// The host reads it before any of the plugin's code is loaded and grants no more than it says.
// Thread safety: values, immutable after load.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/config/issue.hpp"
#include "host/config/settings.hpp"

namespace plexsphere::host::config {

struct AbiVersion {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;

  friend bool operator==(const AbiVersion&, const AbiVersion&) = default;
};

// A route as the manifest lists it. `disabled_code` is the problem code of the 501 that stands in
// its place while the context is off. A route that is not `provisioned` is one this version of the
// plugin does not build: it answers that 501 always, and the plugin does not register it.
struct RouteDeclaration {
  std::string method;
  std::string path;
  std::string disabled_code;
  bool provisioned = true;
};

struct Capabilities {
  bool routes = false;
  bool schema = false;  // px.store, px.jobs and px.seal; a role and a schema of its own
  bool audit = false;
  std::vector<std::string> events;  // event types it may append through px.outbox
  // Origins it may reach through px.egress if the operator grants them too; "*": any of those.
  std::vector<std::string> egress;
};

struct Manifest {
  std::string id;       // [a-z][a-z0-9_.-]{0,62}; also the directory name and the ELF note's id
  std::string version;  // semantic version
  std::string summary;
  AbiVersion abi;
  std::vector<std::string> required_ports;  // "px.audit/1"
  std::vector<std::string> wanted_ports;
  std::vector<std::string> provided_ports;
  Capabilities capabilities;
  std::vector<KeySpec> config_keys;
  std::vector<RouteDeclaration> routes;
  std::filesystem::path directory;  // where plugin.toml was found

  std::string context_role() const { return "plexsphere_" + id; }
};

// Reads and checks `<directory>/plugin.toml`. On success `issues` is empty. A manifest with issues
// must not be used. [init]
struct ManifestResult {
  Manifest manifest;
  Issues issues;
};
ManifestResult read_manifest(const std::filesystem::path& directory);
// The same from text; `name` is what the issues call the file.
ManifestResult parse_manifest(const std::string& text, const std::string& name);

}  // namespace plexsphere::host::config
