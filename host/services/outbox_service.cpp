#include <set>
#include <string>

#include "host/persistence/error_capture.hpp"
#include "host/persistence/store_error.hpp"
#include "host/services/data_services.hpp"

namespace plexsphere::host {

using persistence::guarded_call;
using persistence::StoreError;

struct OutboxProvider::Table {
  px_outbox wire{};
  outbox::Outbox& engine;
  std::string context;
  std::set<std::string, std::less<>> events;

  Table(outbox::Outbox& the_engine, const config::Manifest& manifest)
      : engine(the_engine),
        context(manifest.id),
        events(manifest.capabilities.events.begin(), manifest.capabilities.events.end()) {
    wire.base = {sizeof(px_outbox), 1, this};
    wire.append = [](void* self, px_tx* tx, const px_event* event, px_error* err) {
      return guarded_call(err, [&] { static_cast<Table*>(self)->append(tx, *event); });
    };
    wire.project = [](void* self, px_str type, px_projection projection, void* ctx, px_error* err) {
      return guarded_call(err, [&] {
        auto& table = *static_cast<Table*>(self);
        table.engine.subscribe(table.context, std::string(type.ptr, type.len), projection, ctx);
      });
    };
  }

  void append(px_tx* tx, const px_event& event) {
    const std::string_view type{event.type.ptr, event.type.len};
    if (!events.contains(type)) {
      throw StoreError(PX_PERMISSION_DENIED, "undeclared_event",
                       context + " does not list the event '" + std::string{type} +
                           "' in its manifest; add it to capabilities.events");
    }
    engine.append(tx, event);
  }
};

OutboxProvider::OutboxProvider(outbox::Outbox& engine) : engine_(engine) {}
OutboxProvider::~OutboxProvider() = default;

const px_table* OutboxProvider::table_for(const PluginContext& plugin) {
  auto& table = tables_[&plugin];
  if (!table) {
    table = std::make_unique<Table>(engine_, plugin.manifest);
  }
  return &table->wire.base;
}

}  // namespace plexsphere::host
