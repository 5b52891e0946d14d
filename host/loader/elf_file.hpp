// Reads a shared object's note and exported symbols from an open descriptor, without loading it.
//
// Format: System V ABI, ELF-64 little endian (elf(5)). Every offset and size is checked against the
// file; a file that lies is refused, never followed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/base/result.hpp"

namespace plexsphere::host::loader {

// The plexsphere note of a plugin (plexsphere/abi/plugin.h).
struct PluginNote {
  std::uint32_t abi_major = 0;
  std::uint32_t abi_minor = 0;
  std::string id;
  std::string version;
};

struct ElfFacts {
  std::optional<PluginNote> note;
  std::vector<std::string> exports;  // names of defined global, weak and unique dynamic symbols
};

// Requires a readable descriptor of a regular file; does not move its offset. Errors name what is
// wrong with the file.
Result<ElfFacts> read_elf(int descriptor);

}  // namespace plexsphere::host::loader
