// Decides whether a plugin file may be loaded, and loads it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "host/base/result.hpp"
#include "host/config/manifest.hpp"
#include "plexsphere/abi/plugin.h"

namespace plexsphere::host::loader {

// Why a plugin was refused: a stable token for logs and metrics, and cause with remedy for people.
struct Refusal {
  std::string reason;  // untrusted_file, not_a_plugin, missing_note, abi_major, abi_minor,
                       // id_mismatch, version_mismatch, missing_symbol, extra_symbols, load_failed,
                       // bad_table
  std::string text;
};

struct Admission {
  const px_plugin* plugin = nullptr;  // lives until the process ends; null when refused
  Refusal refusal;
};

// Opens `<directory>/<id>/<id>.so` as open_trusted does, reads note and symbols from the
// descriptor, and only then loads that very descriptor. The descriptor stays open and the library
// loaded for the life of the process: the dynamic linker finds loaded libraries by name first, and
// a number that is used again would silently yield the earlier one. [init]
Admission admit(const std::filesystem::path& directory, const config::Manifest& manifest,
                uid_t trusted_owner);

}  // namespace plexsphere::host::loader
