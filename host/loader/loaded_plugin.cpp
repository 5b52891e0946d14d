#include "host/loader/loaded_plugin.hpp"

#include "host/base/error_capture.hpp"
#include "host/services/config.hpp"

namespace plexsphere::host::loader {

LoadedPlugin::LoadedPlugin(config::Manifest manifest, config::Settings settings, Lender lender)
    : manifest_(std::move(manifest)),
      settings_(std::move(settings)),
      context_{manifest_, settings_},
      lender_(std::move(lender)),
      host_{sizeof(px_host),       PX_ABI_MAJOR, PX_ABI_MINOR, this, &LoadedPlugin::get_service,
            &LoadedPlugin::provide} {}

template <typename Call>
Status LoadedPlugin::guarded(const char* what, Call call) {
  ErrorCapture error;
  Status status;
  try {
    status = error.outcome(call(error.wire()));
  } catch (...) {
    status = {Code::kInternal, "an exception left the plugin"};
  }
  if (!status) {
    return {status.code(), "plugin '" + id() + "' failed to " + what + " (" +
                               code_name(status.code()) + "): " + status.message()};
  }
  return status;
}

Status LoadedPlugin::validate() {
  const services::ConfigTable table(manifest_, settings_);
  return guarded("accept its configuration",
                 [&](px_error* err) { return code_->validate(&table.wire, err); });
}

Status LoadedPlugin::create() {
  return guarded("create", [&](px_error* err) {
    const px_status status = code_->create(&host_, &instance_, err);
    if (status != PX_OK) {
      instance_ = nullptr;  // there is nothing to stop or destroy
    }
    return status == PX_OK && instance_ == nullptr
               ? report(err, PX_INTERNAL, "no_instance", "create returned no instance")
               : status;
  });
}

Status LoadedPlugin::configure() {
  return guarded("configure", [&](px_error* err) { return code_->configure(instance_, err); });
}

Status LoadedPlugin::start() {
  return guarded("start", [&](px_error* err) { return code_->start(instance_, err); });
}

Status LoadedPlugin::drain(std::chrono::milliseconds limit) {
  return guarded("drain", [&](px_error* err) {
    return code_->drain(instance_, static_cast<std::uint32_t>(limit.count()), err);
  });
}

void LoadedPlugin::end() noexcept {
  if (instance_ == nullptr) {
    return;
  }
  (void)guarded("stop", [&](px_error*) {
    code_->stop(instance_);
    return PX_OK;
  });
  (void)guarded("destroy", [&](px_error*) {
    code_->destroy(instance_);
    return PX_OK;
  });
  instance_ = nullptr;
}

const px_table* LoadedPlugin::get_service(void* self, px_str name) noexcept {
  try {
    auto* plugin = static_cast<LoadedPlugin*>(self);
    return plugin->lender_.get_service(*plugin, view(name));
  } catch (...) {
    return nullptr;
  }
}

px_status LoadedPlugin::provide(void* self, px_str name, const px_table* table,
                                px_error* err) noexcept {
  try {
    auto* plugin = static_cast<LoadedPlugin*>(self);
    const Status status = plugin->lender_.provide(*plugin, view(name), table);
    return status ? PX_OK
                  : report(err, static_cast<px_status>(status.code()), "not_provided",
                           status.message());
  } catch (...) {
    return report(err, PX_INTERNAL, "internal", "the port could not be registered");
  }
}

}  // namespace plexsphere::host::loader
