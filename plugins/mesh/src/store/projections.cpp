#include "store/projections.hpp"

#include <deque>
#include <string>

#include "plexsphere/sdk/declarations.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/json.hpp"

namespace plexsphere::mesh {
namespace {

using sdk::Type;

// An array parameter that owns its items: a deque keeps what the views point at in place.
template <typename T>
class Column {
 public:
  explicit Column(Type element) : element_(element) {}
  void add(T value) {
    const T& kept = values_.emplace_back(std::move(value));
    params_.push_back(param(kept));
  }
  sdk::Param array() const { return {std::span<const sdk::Param>(params_), element_}; }

 private:
  sdk::Param param(const T& value) const {
    if constexpr (std::is_same_v<T, std::string>) {
      return element_ == Type::bytes ? sdk::Param(sdk::Bytes{value}) : sdk::Param(value);
    } else {
      return sdk::Param(value);
    }
  }
  Type element_;
  std::deque<T> values_;
  std::vector<sdk::Param> params_;
};

// Reads one event's payload; `fault` remembers the first member that is missing or wrong.
class Payload {
 public:
  explicit Payload(const px_event& event)
      : type_(sdk::view(event.type)),
        json_(sdk::Json::parse(sdk::view(event.payload), nullptr, false)),
        reader_(json_) {}

  sdk::Uuid uuid(std::string_view name) { return reader_.uuid(name); }
  std::string text(std::string_view name) { return reader_.text(name, 1, 4096); }
  std::int64_t integer(std::string_view name) { return reader_.integer(name, 0, INT64_MAX); }
  // Empty when absent or null.
  std::string optional_text(std::string_view name) {
    const sdk::Json* value = reader_.seen(name);
    return value == nullptr || value->is_null() ? std::string() : text(name);
  }
  std::string key(std::string_view name) {
    auto bytes = sdk::base64_decode(text(name)).value_or("");
    if (bytes.size() != 32) {
      reader_.fail("\"" + std::string(name) + "\" must be base64 of 32 bytes");
    }
    return bytes;
  }
  sdk::Status status() const {
    const auto& fault = reader_.fault_ignoring_unknown();
    if (!fault) {
      return {};
    }
    return sdk::Error{sdk::Code::internal, "malformed_event",
                      "The payload of " + type_ + " cannot be read: " + *fault + "."};
  }

 private:
  std::string type_;
  sdk::Json json_;
  sdk::BodyReader reader_;
};

sdk::Status outcome(const sdk::Result<sdk::Rows>& rows) {
  return rows.ok() ? sdk::Status() : rows.error();
}

}  // namespace

sdk::Status Projections::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.port(
      registered_, "project.nodes_registered",
      "SELECT done FROM mesh.port_project_nodes_registered($1, $2, $3, $4, $5, $6, $7) AS done",
      {Type::uuid_array, Type::uuid_array, Type::uuid_array, Type::uuid_array, Type::text_array,
       Type::bytes_array, Type::int64_array},
      {Type::boolean});
  all.port(deregistered_, "project.nodes_deregistered",
           "SELECT done FROM mesh.port_project_nodes_deregistered($1) AS done", {Type::uuid_array},
           {Type::boolean});
  all.port(issued_, "project.credentials_issued",
           "SELECT done FROM mesh.port_project_credentials_issued($1, $2) AS done",
           {Type::uuid_array, Type::int64_array}, {Type::boolean});
  all.port(revoked_, "project.credentials_revoked",
           "SELECT done FROM mesh.port_project_credentials_revoked($1, $2) AS done",
           {Type::uuid_array, Type::int64_array}, {Type::boolean});
  all.port(reserved_, "project.reserved_ranges",
           "SELECT done FROM mesh.port_project_reserved_ranges($1, $2, $3) AS done",
           {Type::uuid_array, Type::uuid_array, Type::text_array}, {Type::boolean});
  return std::move(all).status();
}

sdk::Status Projections::subscribe(const sdk::Outbox& outbox) {
  const auto projects = [this](px_tx* tx, Events events) { return projects_changed(tx, events); };
  const std::pair<std::string_view, sdk::Outbox::Projection> subscriptions[] = {
      {"tenancy.NodeRegistered",
       [this](px_tx* tx, Events events) { return nodes_registered(tx, events); }},
      {"tenancy.NodeDeregistered",
       [this](px_tx* tx, Events events) { return nodes_deregistered(tx, events); }},
      {"identity.NodeCredentialIssued",
       [this](px_tx* tx, Events events) { return credentials_changed(issued_, tx, events); }},
      {"identity.NodeCredentialRevoked",
       [this](px_tx* tx, Events events) { return credentials_changed(revoked_, tx, events); }},
      {"ProjectCreated", projects},
      {"ProjectUpdated", projects}};
  for (const auto& [type, projection] : subscriptions) {
    if (auto done = outbox.project(type, projection); !done.ok()) {
      return done;
    }
  }
  return {};
}

sdk::Status Projections::nodes_registered(px_tx* tx, Events events) const {
  Column<sdk::Uuid> nodes(Type::uuid);
  Column<sdk::Uuid> peers(Type::uuid);
  Column<sdk::Uuid> domains(Type::uuid);
  Column<sdk::Uuid> projects(Type::uuid);
  Column<std::string> addresses(Type::text);
  Column<std::string> keys(Type::bytes);
  Column<std::int64_t> generations(Type::int64);
  for (const px_event* event : events) {
    Payload payload(*event);
    nodes.add(payload.uuid("node_id"));
    peers.add(sdk::Uuid::v7(sdk::to_ms(clock_.now())));
    domains.add(sdk::Uuid(event->domain_id));
    projects.add(payload.uuid("project_id"));
    addresses.add(payload.text("mesh_ip"));
    keys.add(payload.key("public_key"));
    generations.add(payload.integer("credential_generation"));
    if (auto readable = payload.status(); !readable.ok()) {
      return readable;
    }
  }
  return outcome(store_.borrow(tx).run(registered_, nodes.array(), peers.array(), domains.array(),
                                       projects.array(), addresses.array(), keys.array(),
                                       generations.array()));
}

sdk::Status Projections::nodes_deregistered(px_tx* tx, Events events) const {
  Column<sdk::Uuid> nodes(Type::uuid);
  for (const px_event* event : events) {
    Payload payload(*event);
    nodes.add(payload.uuid("node_id"));
    if (auto readable = payload.status(); !readable.ok()) {
      return readable;
    }
  }
  return outcome(store_.borrow(tx).run(deregistered_, nodes.array()));
}

sdk::Status Projections::credentials_changed(sdk::Statement statement, px_tx* tx,
                                             Events events) const {
  Column<sdk::Uuid> nodes(Type::uuid);
  Column<std::int64_t> generations(Type::int64);
  for (const px_event* event : events) {
    Payload payload(*event);
    nodes.add(payload.uuid("node_id"));
    generations.add(payload.integer("credential_generation"));
    if (auto readable = payload.status(); !readable.ok()) {
      return readable;
    }
  }
  return outcome(store_.borrow(tx).run(statement, nodes.array(), generations.array()));
}

sdk::Status Projections::projects_changed(px_tx* tx, Events events) const {
  Column<sdk::Uuid> domains(Type::uuid);
  Column<sdk::Uuid> projects(Type::uuid);
  Column<std::string> ranges(Type::text);
  for (const px_event* event : events) {
    Payload payload(*event);
    domains.add(sdk::Uuid(event->domain_id));
    projects.add(sdk::Uuid(event->aggregate_id));
    ranges.add(payload.optional_text("sub_range_cidr"));
    if (auto readable = payload.status(); !readable.ok()) {
      return readable;
    }
  }
  return outcome(
      store_.borrow(tx).run(reserved_, domains.array(), projects.array(), ranges.array()));
}

}  // namespace plexsphere::mesh
