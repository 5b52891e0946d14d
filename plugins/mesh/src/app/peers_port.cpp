#include "app/peers_port.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {

using sdk::Type;

PeersPort::PeersPort() : table_{{sizeof(px_peers), 1, this}, &PeersPort::snapshot} {}

sdk::Status PeersPort::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.port(snapshot_, "peers.snapshot",
           "SELECT node_id, mesh_ip, public_key, fallback_endpoint "
           "FROM mesh.port_peer_snapshot($1, $2)",
           {Type::uuid, Type::uuid}, {Type::uuid, Type::text, Type::text, Type::text});
  return std::move(all).status();
}

px_status PeersPort::snapshot(void* self, px_tx* tx, px_uuid domain_id, px_uuid except, void* ctx,
                              void (*each)(void* ctx, const px_peer* peer),
                              px_error* err) noexcept {
  return sdk::guard(err, [&]() -> sdk::Status {
    const auto& port = *static_cast<const PeersPort*>(self);
    const auto rows =
        port.store_.borrow(tx).run(port.snapshot_, sdk::Uuid(domain_id), sdk::Uuid(except));
    if (!rows.ok()) {
      return rows.error();
    }
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const sdk::Row row = (*rows)[i];
      const px_peer peer{sizeof(px_peer),           0,
                         row.uuid(0).wire(),        sdk::to_wire(row.text(1)),
                         sdk::to_wire(row.text(2)), sdk::to_wire(row.text(3))};
      each(ctx, &peer);
    }
    return {};
  });
}

}  // namespace plexsphere::mesh
