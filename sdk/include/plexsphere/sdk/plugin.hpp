// The plugin itself: a class to derive from, the host it gets, and the macro that exports it.
//
//   class Mesh : public sdk::Plugin { … };
//   PLEXSPHERE_PLUGIN(plexsphere::mesh::Mesh, "mesh", "0.1.0")
#pragma once

#include <chrono>
#include <memory>
#include <string_view>
#include <type_traits>

#include "plexsphere/abi/plugin.h"
#include "plexsphere/sdk/services.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

// What the host lends. Valid until the plugin is destroyed. [init]
class Host {
 public:
  explicit Host(const px_host* wire) : wire_(wire) {}

  // A wrapper of a service or port, or an Error that names it. Wrapper needs kName and Wire.
  template <typename Wrapper>
  Result<Wrapper> get() const {
    const px_table* table = wire_->get_service(wire_->self, to_wire(Wrapper::kName));
    if (table == nullptr) {
      return Error{Code::not_found, "service_missing",
                   std::string(Wrapper::kName) +
                       " is not offered to this plugin: check ports and "
                       "capabilities in its plugin.toml"};
    }
    return Wrapper(reinterpret_cast<const typename Wrapper::Wire*>(table));
  }

  Status provide(std::string_view name, const px_table* table) const {
    ErrorSink sink;
    return std::move(sink).outcome(wire_->provide(wire_->self, to_wire(name), table, sink.wire()));
  }

 private:
  const px_host* wire_;
};

// Calls come on the host's main thread, in the order of plexsphere/abi/plugin.h.
class Plugin {
 public:
  Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  virtual ~Plugin() = default;

  virtual Status configure(const Host& host) = 0;
  virtual Status start() { return {}; }
  virtual Status drain(std::chrono::milliseconds) { return {}; }
  virtual void stop() {}

  // Judges a configuration beyond what the manifest's types and bounds already do. Pure.
  static Status validate(const Config&) { return {}; }
};

namespace detail {

template <typename P>
struct PluginTable {
  struct Instance {
    Host host;
    std::unique_ptr<P> plugin;
  };

  static px_status validate(const px_config* config, px_error* err) noexcept {
    return guard(err, [&] { return P::validate(Config(config)); });
  }
  static px_status create(const px_host* host, void** out, px_error* err) noexcept {
    return guard(err, [&]() -> Status {
      *out = new Instance{Host(host), std::make_unique<P>()};
      return {};
    });
  }
  static px_status configure(void* self, px_error* err) noexcept {
    auto* instance = static_cast<Instance*>(self);
    return guard(err, [&] { return instance->plugin->configure(instance->host); });
  }
  static px_status start(void* self, px_error* err) noexcept {
    return guard(err, [&] { return static_cast<Instance*>(self)->plugin->start(); });
  }
  static px_status drain(void* self, uint32_t deadline_ms, px_error* err) noexcept {
    return guard(err, [&] {
      return static_cast<Instance*>(self)->plugin->drain(std::chrono::milliseconds(deadline_ms));
    });
  }
  static void stop(void* self) noexcept {
    (void)guard(nullptr, [&]() -> Status {
      static_cast<Instance*>(self)->plugin->stop();
      return {};
    });
  }
  static void destroy(void* self) noexcept { delete static_cast<Instance*>(self); }
};

}  // namespace detail

}  // namespace plexsphere::sdk::inline v1

#define PLEXSPHERE_PLUGIN(Class, id_text, version_text)                                          \
  PX_PLUGIN_NOTE(id_text, version_text);                                                         \
  extern "C" __attribute__((visibility("default"))) const px_plugin* plexsphere_plugin_v1(void); \
  extern "C" const px_plugin* plexsphere_plugin_v1(void) {                                       \
    using Table = ::plexsphere::sdk::detail::PluginTable<Class>;                                 \
    static constexpr px_description kDescription{sizeof(px_description),                         \
                                                 0,                                              \
                                                 {id_text, sizeof(id_text) - 1},                 \
                                                 {version_text, sizeof(version_text) - 1}};      \
    static constexpr px_plugin kPlugin{                                                          \
        sizeof(px_plugin), PX_ABI_MAJOR,                                                         \
        PX_ABI_MINOR,      +[]() -> const px_description* { return &kDescription; },                                   \
        &Table::validate,  &Table::create,                                                       \
        &Table::configure, &Table::start,                                                        \
        &Table::drain,     &Table::stop,                                                         \
        &Table::destroy};                                                                        \
    return &kPlugin;                                                                             \
  }                                                                                              \
  static_assert(std::is_base_of_v<::plexsphere::sdk::Plugin, Class>)
