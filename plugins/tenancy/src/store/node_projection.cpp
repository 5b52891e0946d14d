#include "store/node_projection.hpp"

#include <string>
#include <vector>

#include "plexsphere/sdk/json.hpp"
#include "store/declare.hpp"

namespace plexsphere::tenancy {
namespace {

using sdk::Type;

// The ids under `name` in the payloads of all events, as one array parameter.
class Ids {
 public:
  Ids(std::span<const px_event* const> events, std::string_view name) {
    ids_.reserve(events.size());
    for (const px_event* event : events) {
      const auto json = sdk::Json::parse(sdk::view(event->payload), nullptr, false);
      const auto id = sdk::Uuid::parse(json.is_object() ? json.value(name, "") : "");
      if (!id) {
        status_ = sdk::Error{sdk::Code::invalid_argument, "event_payload",
                             std::string(sdk::view(event->type)) + ": \"" + std::string(name) +
                                 "\" must be a UUID."};
        return;
      }
      params_.emplace_back(ids_.emplace_back(*id));
    }
  }
  const sdk::Status& status() const { return status_; }
  sdk::Param array() const { return {std::span<const sdk::Param>(params_), Type::uuid}; }

 private:
  std::vector<sdk::Uuid> ids_;  // reserved: the parameters look at them
  std::vector<sdk::Param> params_;
  sdk::Status status_;
};

template <typename Rows>
sdk::Status status_of(const Rows& rows) {
  return rows.ok() ? sdk::Status() : sdk::Status(rows.error());
}

}  // namespace

sdk::Status NodeProjection::declare(const sdk::Store& store) {
  store_ = store;
  Declaring declaring;
  declaring.keep(
      registered_,
      store.port("node.registered",
                 "SELECT done FROM tenancy.port_project_nodes_registered($1, $2) AS done",
                 {Type::uuid_array, Type::uuid_array}, {Type::boolean}));
  declaring.keep(deregistered_,
                 store.port("node.deregistered",
                            "SELECT done FROM tenancy.port_project_nodes_deregistered($1) AS done",
                            {Type::uuid_array}, {Type::boolean}));
  return declaring.status();
}

sdk::Status NodeProjection::subscribe(const sdk::Outbox& outbox) {
  auto done = outbox.project("tenancy.NodeRegistered",
                             [this](px_tx* tx, Events events) { return registered(tx, events); });
  if (!done.ok()) {
    return done;
  }
  return outbox.project("tenancy.NodeDeregistered",
                        [this](px_tx* tx, Events events) { return deregistered(tx, events); });
}

sdk::Status NodeProjection::registered(px_tx* tx, Events events) const {
  const Ids nodes(events, "node_id");
  const Ids resources(events, "resource_id");
  for (const Ids* ids : {&nodes, &resources}) {
    if (!ids->status().ok()) {
      return ids->status();
    }
  }
  return status_of(store_.borrow(tx).run(registered_, nodes.array(), resources.array()));
}

sdk::Status NodeProjection::deregistered(px_tx* tx, Events events) const {
  const Ids nodes(events, "node_id");
  if (!nodes.status().ok()) {
    return nodes.status();
  }
  return status_of(store_.borrow(tx).run(deregistered_, nodes.array()));
}

}  // namespace plexsphere::tenancy
