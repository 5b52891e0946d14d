// Looks for bytes in what another process has in memory, as a debugger would.
//
// Not thread-safe with the process ending.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::e2e {

struct Needle {
  std::string name;   // what a failed test shows in its place
  std::string bytes;  // at least 16, or they would be found by chance
};

// Names of the needles that `text` holds, each once.
inline std::vector<std::string> found_in(std::string_view text,
                                         const std::vector<Needle>& needles) {
  std::vector<std::string> found;
  for (const Needle& needle : needles) {
    const std::boyer_moore_horspool_searcher searcher(needle.bytes.begin(), needle.bytes.end());
    if (std::search(text.begin(), text.end(), searcher) != text.end()) {
      found.push_back(needle.name);
    }
  }
  return found;
}

// Names of the needles in the writable memory of the process, with the mapping each lies in. Throws
// std::runtime_error when there is nothing that it may read.
inline std::vector<std::string> found_in_memory(pid_t pid, const std::vector<Needle>& needles) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::ifstream maps(process + "/maps");
  std::ifstream memory(process + "/mem", std::ios::binary);
  std::vector<std::string> found;
  std::size_t read = 0;
  for (std::string line; std::getline(maps, line);) {
    std::istringstream fields(line);
    std::uintptr_t first = 0;
    std::uintptr_t last = 0;
    std::string mode;
    fields >> std::hex >> first;
    fields.get();  // '-'
    fields >> last >> mode;
    if (mode.substr(0, 2) != "rw") {
      continue;
    }
    std::string bytes(last - first, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(first));
    memory.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(memory.gcount()));
    read += bytes.size();
    for (const std::string& name : found_in(bytes, needles)) {
      found.push_back(name + " in " + line);
    }
  }
  if (read == 0) {
    throw std::runtime_error("the memory of process " + std::to_string(pid) + " cannot be read");
  }
  return found;
}

}  // namespace plexsphere::e2e
