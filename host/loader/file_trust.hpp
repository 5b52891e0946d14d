// Opens a plugin's file so that nobody but its trusted owner can have put it there.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "host/base/file.hpp"
#include "host/base/result.hpp"

namespace plexsphere::host::loader {

// Opens `<directory>/<id>/<name>` for reading. Every directory from the root down, and the file,
// must be owned by root or `trusted_owner` and not be writable by group or others (a sticky
// directory of root's, such as /tmp, may be). `directory` itself may be reached through symbolic
// links, which are resolved first; below it none is followed. The descriptor is what was checked:
// use it, not the path. Errors name the path, what is wrong and the remedy.
Result<FileDescriptor> open_trusted(const std::filesystem::path& directory, const std::string& id,
                                    const std::string& name, uid_t trusted_owner);

}  // namespace plexsphere::host::loader
