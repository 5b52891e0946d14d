#include "store/projections.hpp"

#include <algorithm>
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

// What agents are told of a peer; `from` is the event it follows from.
sdk::Event peer_event(std::string type, const px_event& from, const sdk::Json& payload) {
  return {{},
          sdk::Uuid(from.domain_id),
          std::move(type),
          "node",
          sdk::Uuid::parse(payload.at("node_id").get<std::string>()).value_or(sdk::Uuid{}),
          payload.dump(),
          std::string(sdk::view(from.correlation_id))};
}

// The arrays of port_register_peers.
struct Registrations {
  Column<sdk::Uuid> nodes{Type::uuid};
  Column<sdk::Uuid> peers{Type::uuid};
  Column<sdk::Uuid> domains{Type::uuid};
  Column<sdk::Uuid> projects{Type::uuid};
  Column<std::string> addresses{Type::text};
  Column<std::string> keys{Type::bytes};
  Column<std::int64_t> generations{Type::int64};
  Column<sdk::Uuid> kids{Type::uuid};
  Column<sdk::Uuid> wrap_keys{Type::uuid};
  Column<std::int64_t> wrap_key_versions{Type::int64};
  Column<std::string> wrapped{Type::bytes};
  std::vector<sdk::Event> news;  // for agents, should the Node turn out to be new

  sdk::Status add(const px_event& event, const sdk::Uuid& peer_id) {
    Payload payload(event);
    const sdk::Uuid node_id = payload.uuid("node_id");
    const std::string mesh_ip = payload.text("mesh_ip");
    const std::string key = payload.key("public_key");
    nodes.add(node_id);
    peers.add(peer_id);
    domains.add(sdk::Uuid(event.domain_id));
    projects.add(payload.uuid("project_id"));
    addresses.add(mesh_ip);
    keys.add(key);
    generations.add(payload.integer("credential_generation"));
    news.push_back(peer_event("peer_registered", event,
                              {{"node_id", node_id.text()},
                               {"peer_id", peer_id.text()},
                               {"mesh_ip", mesh_ip},
                               {"public_key", sdk::base64_encode(key)}}));
    return payload.status();
  }
  void add(WrappedSecret secret) {
    kids.add(secret.kid);
    wrap_keys.add(secret.sealed.wrap_key_id);
    wrap_key_versions.add(secret.sealed.wrap_key_version);
    wrapped.add(std::move(secret.sealed.blob));
  }
};

}  // namespace

sdk::Status Projections::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.port(registered_, "project.register_peers",
           "SELECT node_id FROM mesh.port_register_peers($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
           "$11)",
           {Type::uuid_array, Type::uuid_array, Type::uuid_array, Type::uuid_array,
            Type::text_array, Type::bytes_array, Type::int64_array, Type::uuid_array,
            Type::uuid_array, Type::int64_array, Type::bytes_array},
           {Type::uuid});
  all.port(deregistered_, "project.deregister_peers",
           "SELECT node_id, peer_id FROM mesh.port_deregister_peers($1)", {Type::uuid_array},
           {Type::uuid, Type::uuid});
  all.port(reserved_, "project.reserved_ranges",
           "SELECT done FROM mesh.port_project_reserved_ranges($1, $2, $3) AS done",
           {Type::uuid_array, Type::uuid_array, Type::text_array}, {Type::boolean});
  return std::move(all).status();
}

sdk::Status Projections::subscribe(const sdk::Outbox& outbox) {
  outbox_ = outbox;
  const auto projects = [this](px_tx* tx, Events events) { return projects_changed(tx, events); };
  const std::pair<std::string_view, sdk::Outbox::Projection> subscriptions[] = {
      {"tenancy.NodeRegistered",
       [this](px_tx* tx, Events events) { return nodes_registered(tx, events); }},
      {"tenancy.NodeDeregistered",
       [this](px_tx* tx, Events events) { return nodes_deregistered(tx, events); }},
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
  Registrations all;
  for (const px_event* event : events) {
    const auto peer_id = sdk::Uuid::v7(sdk::to_ms(clock_.now()));
    if (auto readable = all.add(*event, peer_id); !readable.ok()) {
      return readable;
    }
    auto secret = secrets_.make(sdk::Uuid(event->domain_id), all.news.back().aggregate_id);
    if (!secret.ok()) {
      return secret.error();
    }
    all.add(std::move(*secret));
  }
  const auto transaction = store_.borrow(tx);
  const auto fresh = transaction.run(
      registered_, all.nodes.array(), all.peers.array(), all.domains.array(), all.projects.array(),
      all.addresses.array(), all.keys.array(), all.generations.array(), all.kids.array(),
      all.wrap_keys.array(), all.wrap_key_versions.array(), all.wrapped.array());
  if (!fresh.ok()) {
    return fresh.error();
  }
  for (std::size_t i = 0; i < fresh->size(); ++i) {
    const auto news = std::ranges::find(all.news, (*fresh)[i].uuid(0), &sdk::Event::aggregate_id);
    if (auto told = outbox_.append(transaction, *news); !told.ok()) {
      return told;
    }
  }
  return {};
}

sdk::Status Projections::nodes_deregistered(px_tx* tx, Events events) const {
  Column<sdk::Uuid> nodes(Type::uuid);
  std::vector<std::pair<sdk::Uuid, const px_event*>> causes;
  for (const px_event* event : events) {
    Payload payload(*event);
    causes.emplace_back(payload.uuid("node_id"), event);
    nodes.add(causes.back().first);
    if (auto readable = payload.status(); !readable.ok()) {
      return readable;
    }
  }
  const auto transaction = store_.borrow(tx);
  const auto gone = transaction.run(deregistered_, nodes.array());
  if (!gone.ok()) {
    return gone.error();
  }
  for (std::size_t i = 0; i < gone->size(); ++i) {
    const sdk::Row row = (*gone)[i];
    const auto cause =
        std::ranges::find(causes, row.uuid(0), &std::pair<sdk::Uuid, const px_event*>::first);
    const auto news =
        peer_event("peer_deregistered", *cause->second,
                   {{"node_id", row.uuid(0).text()}, {"peer_id", row.uuid(1).text()}});
    if (auto told = outbox_.append(transaction, news); !told.ok()) {
      return told;
    }
  }
  return {};
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
