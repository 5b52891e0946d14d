// px.authz/1: checks, filtered lists, and tuples written for other contexts.
//
// Any thread; check and filter block on the database. Fails closed: whatever goes wrong is an
// Error, never a grant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/tuple_store.hpp"

namespace plexsphere::authz {

class Authorizer final : public sdk::AuthzProvider {
 public:
  // [init] Both must outlive this.
  Authorizer(const TupleStore& store, const sdk::Log& log) : store_(store), log_(log) {}

  // INVALID_ARGUMENT "unknown_relation" when the object's type has no such name. A walk that the
  // depth limit cut short is a denial with PX_REASON_UNKNOWN.
  sdk::Result<sdk::Decision> check(const sdk::Reference& subject, std::string_view permission,
                                   const sdk::Reference& object,
                                   std::string_view remote_ip) override;
  sdk::Result<std::vector<bool>> filter(const sdk::Reference& subject, std::string_view permission,
                                        std::string_view object_type,
                                        std::span<const std::string> ids) override;
  // INVALID_ARGUMENT "invalid_tuple" for what the schema does not let stand, before any is written.
  sdk::Status write(px_tx* tx, std::span<const sdk::Tuple> tuples) override;
  sdk::Status remove_object(px_tx* tx, const sdk::Reference& object) override;

 private:
  sdk::Status know(std::string_view type, std::string_view name) const;

  const TupleStore& store_;
  const sdk::Log& log_;
};

}  // namespace plexsphere::authz
