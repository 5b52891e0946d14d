// The eight operations of the audit API: list, get with proof, verify and erase, of a Domain's
// chain and of the platform's.
//
// Thread-safe after construction. Everything handed in must live until the process ends.
#pragma once

#include <chrono>

#include "app/erasure.hpp"
#include "app/peppers.hpp"
#include "app/resolvers.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

class Routes {
 public:
  Routes(AuditStore store, const Resolvers& resolvers, Peppers& peppers, const Verifier& verifier,
         const Erasure& erasure, sdk::Clock clock, sdk::Log log)
      : store_(std::move(store)),
        resolvers_(resolvers),
        peppers_(peppers),
        verifier_(verifier),
        erasure_(erasure),
        clock_(clock),
        log_(log) {}

  // [init]
  sdk::Status add_to(const sdk::Router& router);
  // Before the first request: until then every cursor is refused.
  void use_cursors(sdk::CursorCodec cursors) { cursors_ = std::move(cursors); }

 private:
  using Operation = sdk::Answer (Routes::*)(const sdk::Request&, const sdk::Uuid& chain) const;

  struct Pair {
    std::string_view method;
    std::string_view rest;  // of the path, after the Domain or "/platform"
    std::string_view permission;
    int denied_as;
    Operation operation;
  };
  sdk::Status add_pair(const sdk::Router& router, const Pair& pair);
  sdk::Answer in_domain(const sdk::Request& request, Operation operation) const;
  sdk::Result<bool> domain_exists(const sdk::Uuid& domain) const;

  sdk::Answer list(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer get(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer verify(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer erase(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Status name_object(const sdk::Uuid& chain, EntryFilter& filter) const;
  std::chrono::milliseconds time_left(const sdk::Request& request) const;
  sdk::Problem failed(const sdk::Error& error) const;

  AuditStore store_;
  const Resolvers& resolvers_;
  Peppers& peppers_;
  const Verifier& verifier_;
  const Erasure& erasure_;
  sdk::Clock clock_;
  sdk::Log log_;
  sdk::CursorCodec cursors_;
};

}  // namespace plexsphere::audit
