// The caller of a request, and where its page begins.
#pragma once

#include "app/token_service.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

inline Actor actor_of(const sdk::Request& request) {
  const sdk::Principal caller = request.principal();
  return {std::string(caller.reference_type()), caller.id, caller.domain_id};
}

// The id after which the page begins: zero without a cursor. Errors are the codec's.
inline sdk::Result<sdk::Uuid> page_start(const sdk::Request& request,
                                         const sdk::CursorCodec& cursors,
                                         const sdk::CursorScope& scope) {
  const auto cursor = request.query("cursor");
  if (!cursor) {
    return sdk::Uuid{};
  }
  auto payload = cursors.decode(scope, *cursor);
  if (!payload.ok()) {
    return payload.error();
  }
  return sdk::Uuid::from_bytes(*payload).value_or(sdk::Uuid{});
}

}  // namespace plexsphere::identity
