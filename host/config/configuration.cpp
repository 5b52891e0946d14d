#include "host/config/configuration.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "host/config/egress_keys.hpp"
#include "host/config/nearest.hpp"
#include "host/config/toml_check.hpp"

namespace plexsphere::host::config {
namespace {

namespace fs = std::filesystem;
using detail::Gathered;

constexpr std::string_view kEnabled = "enabled";

void gather(Gathered& into, const toml::table& table) {
  if (into.heading.file.empty()) {
    into.heading = detail::location_of(table);
  }
  for (const auto& [key, node] : table) {
    into.keys.insert_or_assign(std::string(key.str()), &node);
  }
}

}  // namespace

struct Configuration::Impl {
  std::vector<std::string> files;
  std::vector<std::unique_ptr<toml::table>> documents;  // nodes below point into these
  std::map<std::string, Gathered, std::less<>> gathered;
  std::map<std::string, Gathered, std::less<>> contexts;
  std::map<std::string, Settings, std::less<>> sections;
};

struct Reader {
  Reader(Configuration& configuration, Issues& into) : impl(*configuration.impl_), issues(into) {}

  Configuration::Impl& impl;
  Issues& issues;

  void read(const fs::path& file) {
    impl.files.push_back(file.string());
    try {
      impl.documents.push_back(std::make_unique<toml::table>(toml::parse_file(file.string())));
    } catch (const toml::parse_error& error) {
      const auto line = static_cast<unsigned>(error.source().begin.line);
      issues.push_back({{file.string(), line},
                        std::string(error.description()),
                        "",
                        line == 0 ? "create the file, or let the service's user read it"
                                  : "correct the TOML (https://toml.io)"});
      return;
    }
    for (const auto& [key, node] : *impl.documents.back()) {
      take(std::string(key.str()), node);
    }
  }

  void take(const std::string& name, const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) {
      issues.push_back({detail::location_of(node), "'" + name + "' stands outside any section",
                        detail::shown(node), "put it under a [section]"});
    } else if (name == "context") {
      for (const auto& [id, context] : *table) {
        take_context(std::string(id.str()), context);
      }
    } else {
      gather(impl.gathered[name], *table);
    }
  }

  void take_context(const std::string& id, const toml::node& node) {
    const auto* table = node.as_table();
    if (table == nullptr) {
      issues.push_back({detail::location_of(node), "[context] has no keys of its own", id,
                        "put it under [context.<id>]"});
      return;
    }
    gather(impl.contexts[id], *table);
  }

  void check(std::span<const SectionSpec> specs) {
    std::vector<std::string> names{"context.<id>"};
    for (const auto& spec : specs) {
      names.push_back(spec.name);
      const auto found = impl.gathered.find(spec.name);
      Gathered nothing;
      nothing.heading.file = impl.files.empty() ? "(no configuration file)" : impl.files.front();
      const Gathered& written = found == impl.gathered.end() ? nothing : found->second;
      impl.sections.insert_or_assign(
          spec.name, detail::check_keys(written, spec.keys, "[" + spec.name + "]", issues));
    }
    for (const auto& [name, written] : impl.gathered) {
      if (impl.sections.find(name) == impl.sections.end()) {
        const auto close = nearest(name, names);
        issues.push_back({written.heading, "there is no section [" + name + "]", "",
                          close ? "did you mean [" + *close + "]?" : "remove it"});
      }
    }
    for (const auto& [id, written] : impl.contexts) {
      const auto flag = written.keys.find(kEnabled);
      if (flag != written.keys.end() && !flag->second->is_boolean()) {
        issues.push_back({detail::location_of(*flag->second),
                          "[context." + id + "] enabled must be a boolean",
                          detail::shown(*flag->second), "write enabled = true or false"});
      }
    }
  }
};

Configuration::Configuration() : impl_(std::make_unique<Impl>()) {}
Configuration::Configuration(Configuration&&) noexcept = default;
Configuration& Configuration::operator=(Configuration&&) noexcept = default;
Configuration::~Configuration() = default;

const Settings& Configuration::section(std::string_view name) const {
  const auto found = impl_->sections.find(name);
  if (found == impl_->sections.end()) {
    throw std::logic_error("section [" + std::string(name) + "] was read but never declared");
  }
  return found->second;
}

std::vector<std::string> Configuration::contexts() const {
  std::vector<std::string> ids;
  for (const auto& [id, written] : impl_->contexts) {
    ids.push_back(id);
  }
  return ids;
}

bool Configuration::enabled(std::string_view id) const {
  const auto context = impl_->contexts.find(id);
  if (context == impl_->contexts.end()) {
    return false;
  }
  const auto flag = context->second.keys.find(kEnabled);
  return flag != context->second.keys.end() && flag->second->value_or(false);
}

Location Configuration::context_location(std::string_view id) const {
  const auto context = impl_->contexts.find(id);
  if (context != impl_->contexts.end()) {
    return context->second.heading;
  }
  return {impl_->files.empty() ? std::string("(no configuration file)") : impl_->files.front(), 0};
}

Settings Configuration::context_settings(const Manifest& manifest, Issues& issues) const {
  const auto context = impl_->contexts.find(manifest.id);
  Gathered written;
  if (context != impl_->contexts.end()) {
    written = context->second;
  } else {
    written.heading = context_location(manifest.id);
  }
  written.keys.erase(std::string(kEnabled));
  auto keys = manifest.config_keys;
  const bool egress = !manifest.capabilities.egress.empty();
  if (egress) {
    keys.insert(keys.end(), egress_keys().begin(), egress_keys().end());
  }
  Settings settings = detail::check_keys(written, keys, "[context." + manifest.id + "]", issues);
  if (egress) {
    check_egress(settings, written.heading, issues);
  }
  return settings;
}

const std::vector<std::string>& Configuration::files() const {
  return impl_->files;
}

LoadResult load(const Sources& sources, std::span<const SectionSpec> sections) {
  LoadResult result;
  std::vector<fs::path> files;
  std::error_code absent;
  std::error_code error;
  if (sources.main_required || fs::exists(sources.main_file, absent)) {
    files.push_back(sources.main_file);
  }
  if (!sources.dropin_directory.empty() && fs::is_directory(sources.dropin_directory, absent)) {
    const auto first_dropin = static_cast<std::ptrdiff_t>(files.size());
    for (const auto& entry : fs::directory_iterator(sources.dropin_directory, error)) {
      if (entry.path().extension() == ".toml") {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin() + first_dropin, files.end());
  }
  if (error) {
    result.issues.push_back({{sources.dropin_directory.string(), 0},
                             "the directory cannot be read: " + error.message(),
                             "",
                             "let the service's user read it"});
  }
  Reader reader(result.configuration, result.issues);
  for (const auto& file : files) {
    reader.read(file);
  }
  reader.check(sections);
  return result;
}

}  // namespace plexsphere::host::config
