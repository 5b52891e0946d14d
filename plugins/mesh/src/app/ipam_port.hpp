// px.ipam/1: mesh addresses, given and taken in the caller's transaction. An allocation that takes
// its pool past a threshold tells so there, as mesh.AddressPoolThresholdCrossed.
// Thread safety: declare at configure, then any thread. Must live until the process ends.
#pragma once

#include <chrono>

#include "plexsphere/abi/ports/ipam.h"
#include "plexsphere/sdk/outbox.hpp"

namespace plexsphere::mesh {

class IpamPort {
 public:
  IpamPort(std::chrono::milliseconds cool_down, std::chrono::milliseconds lock_wait,
           sdk::Outbox outbox);
  IpamPort(const IpamPort&) = delete;
  IpamPort& operator=(const IpamPort&) = delete;

  sdk::Status declare(const sdk::Store& store);
  const px_table* table() const { return &table_.base; }

 private:
  static px_status allocate(void* self, px_tx* tx, px_uuid domain_id, px_str mesh_cidr,
                            px_str sub_range_cidr, px_uuid node_id, char* buffer, uint64_t capacity,
                            uint64_t* length, px_error* err) noexcept;
  static px_status release(void* self, px_tx* tx, px_uuid node_id, px_error* err) noexcept;

  std::chrono::milliseconds cool_down_;
  std::chrono::milliseconds lock_wait_;
  sdk::Outbox outbox_;
  px_ipam table_;
  sdk::Store store_;
  sdk::Statement allocate_, release_;
};

// What the caller of px.ipam/1 is told when the allocating statement failed.
sdk::Error allocation_refusal(const sdk::Error& error);

}  // namespace plexsphere::mesh
