// A plugin directory of a test's own, as the loader accepts it.
#pragma once

#include <filesystem>
#include <string>

namespace plexsphere::test_support {

// Copies a built plugin and its manifest to <directory>/<id>/, writable by the owner only. Throws
// std::filesystem::filesystem_error.
void install_plugin(const std::filesystem::path& directory, const std::string& id,
                    const std::filesystem::path& library, const std::filesystem::path& manifest);

}  // namespace plexsphere::test_support
