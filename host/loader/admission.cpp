#include "host/loader/admission.hpp"

#include <boost/dll/shared_library.hpp>
#include <memory>
#include <vector>

#include "host/base/wire_text.hpp"
#include "host/loader/elf_file.hpp"
#include "host/loader/file_trust.hpp"

namespace plexsphere::host::loader {
namespace {

std::string version_text(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

const std::string& host_abi() {
  static const std::string text = version_text(PX_ABI_MAJOR, PX_ABI_MINOR);
  return text;
}

// Empty reason: the version fits.
Refusal judge_abi(const std::string& id, std::uint32_t major, std::uint32_t minor) {
  const std::string theirs = version_text(major, minor);
  if (major != PX_ABI_MAJOR) {
    return {"abi_major", "plugin '" + id + "' speaks ABI " + theirs + ", this host " + host_abi() +
                             ": install the build of the plugin for ABI " +
                             std::to_string(PX_ABI_MAJOR)};
  }
  if (minor > PX_ABI_MINOR) {
    return {"abi_minor", "plugin '" + id + "' needs ABI " + theirs + ", this host has " +
                             host_abi() + ": upgrade plexsphere, or install an older plugin"};
  }
  return {};
}

Refusal judge_note(const config::Manifest& manifest, const ElfFacts& facts) {
  if (!facts.note) {
    return {"missing_note", "plugin '" + manifest.id +
                                "' has no plexsphere note: rebuild it with PLEXSPHERE_PLUGIN(…) "
                                "of the SDK"};
  }
  const PluginNote& note = *facts.note;
  if (auto refusal = judge_abi(manifest.id, note.abi_major, note.abi_minor);
      !refusal.reason.empty()) {
    return refusal;
  }
  if (note.id != manifest.id) {
    return {"id_mismatch", "the file in '" + manifest.id + "' says it is plugin '" + note.id +
                               "': install it under its own id, or correct plugin.toml"};
  }
  if (note.version != manifest.version) {
    return {"version_mismatch", "plugin '" + manifest.id + "' has version " + note.version +
                                    " but its plugin.toml says " + manifest.version +
                                    ": install file and manifest of one build"};
  }
  return {};
}

Refusal judge_exports(const std::string& id, const std::vector<std::string>& exports) {
  std::string extra;
  bool found = false;
  for (const auto& name : exports) {
    if (name == PX_PLUGIN_ENTRY) {
      found = true;
    } else if (extra.size() < 200) {
      extra += (extra.empty() ? "" : ", ") + name;
    }
  }
  if (!found) {
    return {"missing_symbol", "plugin '" + id +
                                  "' does not export " PX_PLUGIN_ENTRY
                                  ": build it with plexsphere_add_plugin(…)"};
  }
  if (!extra.empty()) {
    return {"extra_symbols", "plugin '" + id + "' exports more than " PX_PLUGIN_ENTRY " (" + extra +
                                 "): build it with plexsphere_add_plugin(…)"};
  }
  return {};
}

bool complete(const px_plugin& plugin) {
  return plugin.struct_size >= sizeof(px_plugin) && plugin.describe != nullptr &&
         plugin.validate != nullptr && plugin.create != nullptr && plugin.configure != nullptr &&
         plugin.start != nullptr && plugin.drain != nullptr && plugin.stop != nullptr &&
         plugin.destroy != nullptr;
}

// What the loaded code says of itself must be what note and manifest said.
Refusal judge_table(const config::Manifest& manifest, const px_plugin* plugin) {
  if (plugin == nullptr || !complete(*plugin)) {
    return {"bad_table",
            "plugin '" + manifest.id + "' returns an incomplete table: rebuild it with the SDK"};
  }
  if (auto refusal = judge_abi(manifest.id, plugin->abi_major, plugin->abi_minor);
      !refusal.reason.empty()) {
    return refusal;
  }
  const px_description* description = plugin->describe();
  if (description == nullptr || view(description->id) != manifest.id) {
    return {"id_mismatch", "the code in '" + manifest.id + "' describes itself as '" +
                               (description == nullptr ? "" : text(description->id)) +
                               "': correct the id in the plugin or in plugin.toml"};
  }
  if (view(description->version) != manifest.version) {
    return {"version_mismatch", "plugin '" + manifest.id + "' describes itself as version " +
                                    text(description->version) + " but its plugin.toml says " +
                                    manifest.version + ": install file and manifest of one build"};
  }
  return {};
}

struct Kept {
  FileDescriptor descriptor;
  std::unique_ptr<boost::dll::shared_library> library;
};

// Never emptied and never destroyed: see admit().
std::vector<Kept>& kept_for_ever() {
  static auto* all = new std::vector<Kept>();
  return *all;
}

Admission load(FileDescriptor descriptor, const config::Manifest& manifest) {
  namespace dll = boost::dll;
  Admission out;
  try {
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor.get());
    kept_for_ever().push_back(
        {std::move(descriptor), std::make_unique<dll::shared_library>(
                                    path, dll::load_mode::rtld_now | dll::load_mode::rtld_local)});
    const auto entry = reinterpret_cast<px_plugin_entry>(
        kept_for_ever().back().library->get<const px_plugin*()>(PX_PLUGIN_ENTRY));
    const px_plugin* plugin = entry();
    out.refusal = judge_table(manifest, plugin);
    out.plugin = out.refusal.reason.empty() ? plugin : nullptr;
  } catch (const std::exception& error) {
    out.refusal = {"load_failed", "plugin '" + manifest.id + "' cannot be loaded: " + error.what()};
  } catch (...) {
    out.refusal = {"load_failed", "plugin '" + manifest.id + "' threw while it was loaded"};
  }
  return out;
}

}  // namespace

Admission admit(const std::filesystem::path& directory, const config::Manifest& manifest,
                uid_t trusted_owner) {
  Admission refused;
  auto file = open_trusted(directory, manifest.id, manifest.id + ".so", trusted_owner);
  if (!file) {
    refused.refusal = {"untrusted_file", file.status().message()};
    return refused;
  }
  const auto facts = read_elf(file->get());
  if (!facts) {
    refused.refusal = {"not_a_plugin", "plugin '" + manifest.id + "': " + facts.status().message()};
    return refused;
  }
  refused.refusal = judge_note(manifest, *facts);
  if (refused.refusal.reason.empty()) {
    refused.refusal = judge_exports(manifest.id, facts->exports);
  }
  if (!refused.refusal.reason.empty()) {
    return refused;
  }
  return load(std::move(*file), manifest);
}

}  // namespace plexsphere::host::loader
