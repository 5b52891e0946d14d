// One enabled plugin from its manifest to its end. Internal to host/loader.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "host/base/result.hpp"
#include "host/config/manifest.hpp"
#include "host/config/settings.hpp"
#include "host/services/provider.hpp"
#include "plexsphere/abi/plugin.h"

namespace plexsphere::host::loader {

// Calls a plugin's lifecycle functions, each guarded: whatever it throws becomes a failed Status.
// Main thread. Its address stays the same for the life of the process.
class LoadedPlugin {
 public:
  // What the plugin gets as px_host.
  struct Lender {
    std::function<const px_table*(LoadedPlugin&, std::string_view name)> get_service;
    std::function<Status(LoadedPlugin&, std::string_view name, const px_table* table)> provide;
  };

  LoadedPlugin(config::Manifest manifest, config::Settings settings, Lender lender);
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;

  const config::Manifest& manifest() const { return manifest_; }
  const std::string& id() const { return manifest_.id; }
  const PluginContext& context() const { return context_; }

  void set_code(const px_plugin* code) { code_ = code; }
  bool created() const { return instance_ != nullptr; }

  Status validate();
  Status create();
  Status configure();
  Status start();
  Status drain(std::chrono::milliseconds limit);
  // Stop and destroy; nothing if it was never created. Never throws.
  void end() noexcept;

 private:
  template <typename Call>
  Status guarded(const char* what, Call call);
  static const px_table* get_service(void* self, px_str name) noexcept;
  static px_status provide(void* self, px_str name, const px_table* table, px_error* err) noexcept;

  const config::Manifest manifest_;
  const config::Settings settings_;
  const PluginContext context_;
  const Lender lender_;
  const px_host host_;
  const px_plugin* code_ = nullptr;
  void* instance_ = nullptr;
};

}  // namespace plexsphere::host::loader
