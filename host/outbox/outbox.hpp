// Domain events: staged while a transaction runs, projected, then written just before COMMIT in one
// call of platform.port_outbox_append.
//
// Thread safety: append from any thread that uses the transaction; subscribe only while plugins are
// configured. Ownership: copies events; they go with their transaction. Invariants: projections of
// an event run before it is written, in the emitter's transaction and under its role.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/persistence/store.hpp"
#include "plexsphere/abi/outbox.h"

namespace plexsphere::host::outbox {

inline constexpr std::size_t kMaxPayloadBytes = 48 * 1024;
inline constexpr std::size_t kMaxNameBytes = 128;  // event type, aggregate type, correlation id

class Outbox {
 public:
  // Declares its statement and joins the pre-commit phases. `store` must outlive it. [init]
  explicit Outbox(persistence::Store& store);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  ~Outbox();

  // Stages a copy. `tx` may be anybody's; its role must be a member of port_outbox, or the commit
  // fails with PX_PERMISSION_DENIED. Throws StoreError(PX_INVALID_ARGUMENT) for empty types, a
  // payload that is no object or above its limit, over-long names.
  void append(px_tx* tx, const px_event& event);

  // Calls `projection` before commit with all events of the type, in the order of appending. [init]
  void subscribe(const std::string& context, const std::string& type, px_projection projection,
                 void* ctx);
  // Forgets the context's projections; no transaction begun later calls them.
  void unsubscribe(const std::string& context);

 private:
  struct Event;
  struct Subscription {
    std::string context;
    std::string type;
    px_projection projection;
    void* ctx;
  };
  using Item = std::shared_ptr<Event>;  // shared by the projection's and the outbox's queue

  [[nodiscard]] std::vector<Subscription> subscriptions_to(const std::string& type) const;
  void project(px_tx* tx, void* const* items, std::uint64_t count);
  void write(px_tx* tx, void* const* items, std::uint64_t count);

  persistence::Store& store_;
  const persistence::Client client_{"platform", "plexsphere_platform", false, true};
  std::uint32_t append_ = 0;
  std::uint32_t projections_ = 0;
  std::uint32_t writes_ = 0;
  mutable std::mutex mutex_;
  std::vector<Subscription> subscriptions_;
};

}  // namespace plexsphere::host::outbox
