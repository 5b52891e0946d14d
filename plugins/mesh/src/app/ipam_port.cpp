#include "app/ipam_port.hpp"

#include <cstring>
#include <nlohmann/json.hpp>

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::mesh {
namespace {

using sdk::Type;

// The order of columns of mesh.port_take_address.
enum Column : std::size_t { kAddress, kPool, kCrossedPercent, kUsed, kCapacity };

sdk::Event threshold_crossed(const sdk::Uuid& domain_id, const sdk::Row& taken) {
  const nlohmann::ordered_json payload{{"pool", std::string(taken.text(kPool))},
                                       {"percent", taken.integer(kCrossedPercent)},
                                       {"used", taken.integer(kUsed)},
                                       {"capacity", taken.integer(kCapacity)}};
  return {{}, domain_id, "mesh.AddressPoolThresholdCrossed", "domain", domain_id, payload.dump(),
          {}};
}

}  // namespace

sdk::Error allocation_refusal(const sdk::Error& error) {
  if (error.reason == "pool_exhausted") {
    return {sdk::Code::resource_exhausted, error.reason,
            "Every address of the Domain's mesh CIDR is taken or cooling down."};
  }
  if (error.reason == "subrange_exhausted") {
    return {sdk::Code::resource_exhausted, error.reason,
            "Every address of the Project's sub-range is taken or cooling down."};
  }
  if (error.reason == "lock_timeout") {
    return {sdk::Code::unavailable, "allocator_contention",
            "The Domain's address pool was busy for too long; try again."};
  }
  return error;
}

IpamPort::IpamPort(std::chrono::milliseconds cool_down, std::chrono::milliseconds lock_wait,
                   sdk::Outbox outbox)
    : cool_down_(cool_down),
      lock_wait_(lock_wait),
      outbox_(outbox),
      table_{{sizeof(px_ipam), 1, this}, &IpamPort::allocate, &IpamPort::release} {}

sdk::Status IpamPort::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.port(allocate_, "ipam.allocate",
           "SELECT address, pool, crossed_percent, used, capacity "
           "FROM mesh.port_take_address($1, $2, $3, $4, $5, $6)",
           {Type::uuid, Type::text, Type::text, Type::uuid, Type::int64, Type::int64},
           {Type::text, Type::text, Type::int64, Type::int64, Type::int64});
  all.port(release_, "ipam.release",
           "SELECT released FROM mesh.port_release_address($1) AS released", {Type::uuid},
           {Type::boolean});
  return std::move(all).status();
}

px_status IpamPort::allocate(void* self, px_tx* tx, px_uuid domain_id, px_str mesh_cidr,
                             px_str sub_range_cidr, px_uuid node_id, char* buffer,
                             uint64_t capacity, uint64_t* length, px_error* err) noexcept {
  return sdk::guard(err, [&]() -> sdk::Status {
    const auto& port = *static_cast<const IpamPort*>(self);
    const auto transaction = port.store_.borrow(tx);
    const auto rows = transaction.run(port.allocate_, sdk::Uuid(domain_id), sdk::view(mesh_cidr),
                                      sdk::view(sub_range_cidr), sdk::Uuid(node_id),
                                      static_cast<std::int64_t>(port.cool_down_.count()),
                                      static_cast<std::int64_t>(port.lock_wait_.count()));
    if (!rows.ok()) {
      return allocation_refusal(rows.error());
    }
    const sdk::Row taken = (*rows)[0];
    const auto address = taken.text(kAddress);
    if (address.empty() || address.size() > capacity) {
      return sdk::Error{sdk::Code::invalid_argument, "buffer_too_small",
                        "An address needs up to 46 bytes."};
    }
    std::memcpy(buffer, address.data(), address.size());
    *length = address.size();
    return taken.is_null(kCrossedPercent)
               ? sdk::Status()
               : port.outbox_.append(transaction, threshold_crossed(sdk::Uuid(domain_id), taken));
  });
}

px_status IpamPort::release(void* self, px_tx* tx, px_uuid node_id, px_error* err) noexcept {
  return sdk::guard(err, [&]() -> sdk::Status {
    const auto& port = *static_cast<const IpamPort*>(self);
    const auto rows = port.store_.borrow(tx).run(port.release_, sdk::Uuid(node_id));
    return rows.ok() ? sdk::Status() : rows.error();
  });
}

}  // namespace plexsphere::mesh
