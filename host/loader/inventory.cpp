#include "host/loader/inventory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/config/nearest.hpp"
#include "host/loader/file_trust.hpp"

namespace plexsphere::host::loader {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 4 * 1024 * 1024;  // bytes, of a manifest or API fragment

Result<std::string> read_trusted(const InventoryOptions& options, const std::string& id,
                                 const std::string& name) {
  const auto file = open_trusted(options.directory, id, name, options.trusted_owner);
  if (!file) {
    return file.status();
  }
  struct stat info {};
  if (::fstat(file->get(), &info) != 0 || static_cast<std::size_t>(info.st_size) > kLargestFile) {
    return Status(Code::kResourceExhausted,
                  "'" + name + "' of plugin '" + id + "' is larger than 4194304 bytes");
  }
  std::string content(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(file->get(), content.data() + done, content.size() - done);
    if (got <= 0) {
      return Status(Code::kUnavailable,
                    "'" + name + "' of plugin '" + id + "' cannot be read: " + error_text(errno));
    }
    done += static_cast<std::size_t>(got);
  }
  return content;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    out += (out.empty() ? "'" : ", '") + name + "'";
  }
  return out;
}

void read_description(const InventoryOptions& options, Found& found) {
  const auto text = read_trusted(options, found.id, "plugin.toml");
  if (!text) {
    found.rejection = text.status().message();
    return;
  }
  const fs::path directory = options.directory / found.id;
  auto parsed = config::parse_manifest(*text, (directory / "plugin.toml").string());
  if (!parsed.issues.empty()) {
    found.rejection = parsed.issues.front().text();
    return;
  }
  if (parsed.manifest.id != found.id) {
    found.rejection = "the manifest in '" + directory.string() + "' says id '" +
                      parsed.manifest.id + "': name the directory as the plugin";
    return;
  }
  found.manifest = std::move(parsed.manifest);
  found.manifest.directory = directory;
  auto openapi = read_trusted(options, found.id, "openapi.json");
  if (openapi) {
    found.openapi = std::move(*openapi);
  } else if (openapi.status().code() != Code::kNotFound) {
    found.rejection = openapi.status().message();
  }
}

std::vector<std::string> directories(const InventoryOptions& options, config::Issues& issues) {
  std::vector<std::string> ids;
  std::error_code error;
  for (auto it = fs::directory_iterator(options.directory, error);
       !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (fs::exists(it->path() / "plugin.toml", ignored)) {
      ids.push_back(it->path().filename().string());
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    issues.push_back({{options.directory.string(), 0},
                      "the plugin directory cannot be read: " + error.message(),
                      "",
                      "correct directory under [plugins]"});
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace

std::string LoadPolicy::refusal(const std::string& id) const {
  if (std::find(never.begin(), never.end(), id) != never.end()) {
    return "this process never loads '" + id + "', which runs in a process of its own";
  }
  if (!only.empty() && std::find(only.begin(), only.end(), id) == only.end()) {
    return "this process loads only " + joined(only);
  }
  return {};
}

Inventory take_inventory(const InventoryOptions& options,
                         const config::Configuration& configuration) {
  Inventory out;
  const auto ids = directories(options, out.issues);
  for (const auto& id : ids) {
    Found found;
    found.id = id;
    found.rejection = options.policy.refusal(id);
    found.allowed = found.rejection.empty();
    found.enabled = configuration.enabled(id);
    if (found.allowed) {
      read_description(options, found);
    }
    if (found.enabled && found.rejection.empty()) {
      found.settings = configuration.context_settings(found.manifest, out.issues);
    }
    out.plugins.push_back(std::move(found));
  }
  for (const auto& id : configuration.contexts()) {
    if (!configuration.enabled(id)) {
      continue;
    }
    const auto where = configuration.context_location(id);
    if (const auto refusal = options.policy.refusal(id); !refusal.empty()) {
      out.issues.push_back(
          {where, "[context." + id + "] cannot be enabled here", "", "remove it: " + refusal});
    } else if (std::find(ids.begin(), ids.end(), id) == ids.end()) {
      const auto close = config::nearest(id, ids);
      out.issues.push_back({where, "[context." + id + "] is enabled but not installed", "",
                            close
                                ? "did you mean [context." + *close + "]?"
                                : "install the plugin into '" + (options.directory / id).string() +
                                      "', or set enabled = false"});
    }
  }
  return out;
}

}  // namespace plexsphere::host::loader
