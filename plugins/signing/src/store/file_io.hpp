// Files of the state directory: read in full, written in full, replaced so that a crash leaves the
// old or the new one.
//
// Thread safety: pure functions over the file system; two calls on one name at a time do not mix.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "domain/fault.hpp"

namespace plexsphere::signing {

// An open directory and what it is called in messages.
struct Directory {
  int fd;
  std::string path;
};

// Internal, "<path>: <step>: <the system's words for errno>".
[[nodiscard]] Fault broken(const std::string& path, const char* step);

[[nodiscard]] bool write_all(int fd, std::string_view text);

// The file's content, at most `limit` bytes of it; nothing when there is no such file. A symbolic
// link is not followed.
[[nodiscard]] Outcome<std::optional<std::string>> read_file(const Directory& directory,
                                                            const std::string& name,
                                                            std::size_t limit);

// Written beside its place with mode 0600, flushed, renamed over it, and the directory is flushed.
[[nodiscard]] Outcome<Done> replace_file(const Directory& directory, const std::string& name,
                                         std::string_view text);

}  // namespace plexsphere::signing
