// The six reading operations of the audit API: list, get with proof and verify, of a Domain's chain
// and of the platform's.
//
// Thread-safe after construction. Everything handed in must live until the process ends.
#pragma once

#include "app/resolvers.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

class Routes {
 public:
  Routes(AuditStore store, const Resolvers& resolvers, const Verifier& verifier, sdk::Clock clock,
         sdk::Log log)
      : store_(std::move(store)),
        resolvers_(resolvers),
        verifier_(verifier),
        clock_(clock),
        log_(log) {}

  // [init]
  sdk::Status add_to(const sdk::Router& router);
  // Before the first request: until then every cursor is refused.
  void use_cursors(sdk::CursorCodec cursors) { cursors_ = std::move(cursors); }

 private:
  using Operation = sdk::Answer (Routes::*)(const sdk::Request&, const sdk::Uuid& chain) const;

  sdk::Status add_pair(const sdk::Router& router, std::string_view method, std::string_view rest,
                       int denied_as, Operation operation);
  sdk::Answer in_domain(const sdk::Request& request, Operation operation) const;
  sdk::Result<bool> domain_exists(const sdk::Uuid& domain) const;

  sdk::Answer list(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer get(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer verify(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Problem failed(const sdk::Error& error) const;

  AuditStore store_;
  const Resolvers& resolvers_;
  const Verifier& verifier_;
  sdk::Clock clock_;
  sdk::Log log_;
  sdk::CursorCodec cursors_;
};

}  // namespace plexsphere::audit
