// The operator's configuration: one main file and its drop-ins, checked as a whole.
//
// Files are read in this order: the main file, then `*.toml` of the drop-in directory by name. A
// later file wins key by key. Everything that is wrong is reported, each with file and line, what
// was written and what to do; a process never starts on half a configuration.
//
// Thread safety: immutable after load. Ownership: owns its values.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/config/issue.hpp"
#include "host/config/manifest.hpp"
#include "host/config/settings.hpp"

namespace plexsphere::host::config {

struct Sources {
  std::filesystem::path main_file;
  bool main_required = true;               // false: a missing main file is an empty one
  std::filesystem::path dropin_directory;  // may be missing; empty: none
};

class Configuration {
 public:
  Configuration();
  Configuration(Configuration&&) noexcept;
  Configuration& operator=(Configuration&&) noexcept;
  ~Configuration();

  // Values of a section that was declared to load(); defaults when the file leaves it out. Throws
  // std::logic_error for a section that was not declared.
  const Settings& section(std::string_view name) const;

  // Ids of the [context.<id>] tables, sorted.
  std::vector<std::string> contexts() const;
  // Whether [context.<id>] has enabled = true. Installed is not enabled.
  bool enabled(std::string_view id) const;
  // Where [context.<id>] begins, or the main file.
  Location context_location(std::string_view id) const;
  // The keys of [context.<id>] checked against the manifest's declarations; the plugin itself is
  // not needed. Adds to `issues` what is wrong.
  Settings context_settings(const Manifest& manifest, Issues& issues) const;

  // Files read, in the order they were read.
  const std::vector<std::string>& files() const;

 private:
  friend struct Reader;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct LoadResult {
  Configuration configuration;
  Issues issues;  // empty: the configuration may be used
};

// Reads and checks. `sections` are the tables that this process understands besides
// [context.<id>]. [init]
LoadResult load(const Sources& sources, std::span<const SectionSpec> sections);

}  // namespace plexsphere::host::config
