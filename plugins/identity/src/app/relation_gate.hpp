// The relation check of routes whose object stands in a body or a row: decided, put on record, and
// only then acted upon, as the host does it for every other route.
//
// Thread safety: pass from any thread. Bounded: `capacity` checks at once, then RESOURCE_EXHAUSTED
// "identity_overloaded".
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/call_context.hpp"
#include "app/lanes.hpp"
#include "app/token_service.hpp"
#include "plexsphere/sdk/ports/audit.hpp"
#include "plexsphere/sdk/ports/authz.hpp"

namespace plexsphere::identity {

// Granted or denied with a reason; or an Error "authz_unavailable", "audit_unavailable",
// "identity_overloaded".
using GateResult = sdk::Result<px_reason>;

class RelationGate {
 public:
  static constexpr std::size_t kThreads = 2;

  RelationGate(sdk::Authz authz, sdk::Audit audit, std::size_t capacity)
      : authz_(authz), audit_(audit), admission_(capacity) {}

  // `then` runs once, on a thread that may block.
  void pass(const Actor& actor, const CallContext& call, std::string_view permission,
            const sdk::Reference& object, std::function<void(const GateResult&)> then);
  void start() { lane_.start(kThreads); }
  void stop() { lane_.stop(); }

 private:
  struct Passage;
  void decided(const std::shared_ptr<Passage>& passage, const sdk::Result<sdk::Decision>& decision);
  void recorded(const std::shared_ptr<Passage>& passage, px_reason reason,
                const sdk::Status& stored);

  sdk::Authz authz_;
  sdk::Audit audit_;
  Admission admission_;
  Lane lane_;
};

// The Domain, or the platform when `domain_id` is zero.
sdk::Reference domain_or_platform(const sdk::Uuid& domain_id);

}  // namespace plexsphere::identity
