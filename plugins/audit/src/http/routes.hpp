// Operations of the audit API that the contract has: list, get with proof, verify and erase, of a
// Domain's chain and of the platform's.
//
// Thread-safe after construction. Everything handed in must live until the process ends.
#pragma once

#include <chrono>

#include "app/erasure.hpp"
#include "app/peppers.hpp"
#include "app/verifier.hpp"
#include "http/chain_router.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

class Routes {
 public:
  Routes(AuditStore store, const ChainRouter& chains, Peppers& peppers, const Verifier& verifier,
         const Erasure& erasure, sdk::Clock clock)
      : store_(std::move(store)),
        chains_(chains),
        peppers_(peppers),
        verifier_(verifier),
        erasure_(erasure),
        clock_(clock) {}

  // [init]
  sdk::Status add_to(const sdk::Router& router);
  // Before the first request: until then every cursor is refused.
  void use_cursors(sdk::CursorCodec cursors) { cursors_ = std::move(cursors); }

 private:
  sdk::Answer list(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer get(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer verify(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer erase(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Status name_object(const sdk::Uuid& chain, EntryFilter& filter) const;
  std::chrono::milliseconds time_left(const sdk::Request& request) const;

  AuditStore store_;
  const ChainRouter& chains_;
  Peppers& peppers_;
  const Verifier& verifier_;
  const Erasure& erasure_;
  sdk::Clock clock_;
  sdk::CursorCodec cursors_;
};

}  // namespace plexsphere::audit
