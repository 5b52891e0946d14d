// px.config/1: a plugin's own checked settings.
#pragma once

#include <set>
#include <string>

#include "host/services/provider.hpp"
#include "plexsphere/abi/config.h"

namespace plexsphere::host::services {

// The table over one plugin's settings. Also handed to px_plugin.validate, before there is an
// instance. `manifest` and `settings` must outlive it.
class ConfigTable {
 public:
  ConfigTable(const config::Manifest& manifest, const config::Settings& settings);
  ConfigTable(const ConfigTable&) = delete;
  ConfigTable& operator=(const ConfigTable&) = delete;

  const px_config wire;

 private:
  template <typename T>
  static px_status find(void* self, px_str key, const T** out, px_error* err) noexcept;

  static px_status get_string(void* self, px_str key, px_str* out, px_error* err) noexcept;
  static px_status get_integer(void* self, px_str key, int64_t* out, px_error* err) noexcept;
  static px_status get_boolean(void* self, px_str key, int32_t* out, px_error* err) noexcept;
  static px_status get_duration(void* self, px_str key, int64_t* out, px_error* err) noexcept;
  static px_status get_list_size(void* self, px_str key, uint64_t* out, px_error* err) noexcept;
  static px_status get_list_item(void* self, px_str key, uint64_t index, px_str* out,
                                 px_error* err) noexcept;

  const config::Settings& settings_;
  std::set<std::string, std::less<>> declared_;
};

std::unique_ptr<ServiceProvider> make_config_service();

}  // namespace plexsphere::host::services
