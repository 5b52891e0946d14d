#include "install_plugin.hpp"

namespace plexsphere::test_support {

namespace fs = std::filesystem;

void install_plugin(const fs::path& directory, const std::string& id, const fs::path& library,
                    const fs::path& manifest) {
  constexpr auto kOthers = fs::perms::group_write | fs::perms::others_write;
  const fs::path home = directory / id;
  fs::create_directories(home);
  fs::copy_file(library, home / (id + ".so"), fs::copy_options::overwrite_existing);
  fs::copy_file(manifest, home / "plugin.toml", fs::copy_options::overwrite_existing);
  for (const auto& path : {directory, home, home / (id + ".so"), home / "plugin.toml"}) {
    fs::permissions(path, kOthers, fs::perm_options::remove);
  }
}

}  // namespace plexsphere::test_support
