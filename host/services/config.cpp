#include "host/services/config.hpp"

#include "host/base/error_capture.hpp"
#include "host/services/table_map.hpp"

namespace plexsphere::host::services {

ConfigTable::ConfigTable(const config::Manifest& manifest, const config::Settings& settings)
    : wire{{sizeof(px_config), 1, this}, &ConfigTable::get_string,   &ConfigTable::get_integer,
           &ConfigTable::get_boolean,    &ConfigTable::get_duration, &ConfigTable::get_list_size,
           &ConfigTable::get_list_item},
      settings_(settings) {
  for (const auto& key : manifest.config_keys) {
    declared_.insert(key.name);
  }
}

template <typename T>
px_status ConfigTable::find(void* self, px_str key, const T** out, px_error* err) noexcept {
  const auto* table = static_cast<ConfigTable*>(self);
  const auto name = view(key);
  if (table->declared_.find(name) == table->declared_.end()) {
    return report(err, PX_NOT_FOUND, "undeclared_key", "plugin.toml declares no such [config] key");
  }
  const auto& values = table->settings_.values();
  const auto found = values.find(name);
  if (found == values.end()) {
    return report(err, PX_NOT_FOUND, "unset", "the key is not set and has no default");
  }
  *out = std::get_if<T>(&found->second);
  return *out != nullptr ? PX_OK
                         : report(err, PX_INVALID_ARGUMENT, "wrong_type",
                                  "plugin.toml declares the key with another type");
}

px_status ConfigTable::get_string(void* self, px_str key, px_str* out, px_error* err) noexcept {
  const std::string* value = nullptr;
  const px_status status = find(self, key, &value, err);
  if (status == PX_OK) {
    *out = ::plexsphere::host::wire(*value);
  }
  return status;
}

px_status ConfigTable::get_integer(void* self, px_str key, int64_t* out, px_error* err) noexcept {
  const std::int64_t* value = nullptr;
  const px_status status = find(self, key, &value, err);
  if (status == PX_OK) {
    *out = *value;
  }
  return status;
}

px_status ConfigTable::get_boolean(void* self, px_str key, int32_t* out, px_error* err) noexcept {
  const bool* value = nullptr;
  const px_status status = find(self, key, &value, err);
  if (status == PX_OK) {
    *out = *value ? 1 : 0;
  }
  return status;
}

px_status ConfigTable::get_duration(void* self, px_str key, int64_t* out, px_error* err) noexcept {
  const std::chrono::milliseconds* value = nullptr;
  const px_status status = find(self, key, &value, err);
  if (status == PX_OK) {
    *out = value->count();
  }
  return status;
}

px_status ConfigTable::get_list_size(void* self, px_str key, uint64_t* out,
                                     px_error* err) noexcept {
  const std::vector<std::string>* value = nullptr;
  const px_status status = find(self, key, &value, err);
  if (status == PX_OK) {
    *out = value->size();
  }
  return status;
}

px_status ConfigTable::get_list_item(void* self, px_str key, uint64_t index, px_str* out,
                                     px_error* err) noexcept {
  const std::vector<std::string>* value = nullptr;
  const px_status status = find(self, key, &value, err);
  if (status != PX_OK) {
    return status;
  }
  if (index >= value->size()) {
    return report(err, PX_OUT_OF_RANGE, "index", "the list has fewer items");
  }
  *out = ::plexsphere::host::wire((*value)[index]);
  return PX_OK;
}

namespace {

class ConfigService final : public ServiceProvider {
 public:
  std::string_view name() const noexcept override { return "px.config/1"; }
  const px_table* table_for(const PluginContext& plugin) override {
    return as_table(tables_.get(plugin, plugin.manifest, plugin.settings).wire);
  }

 private:
  TableMap<ConfigTable> tables_;
};

}  // namespace

std::unique_ptr<ServiceProvider> make_config_service() {
  return std::make_unique<ConfigService>();
}

}  // namespace plexsphere::host::services
