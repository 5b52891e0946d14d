// Prepares every declared statement once, under its context's role, and compares types.
//
// A wrong statement then fails the start with its name instead of a request with a 500.
// Thread safety: a function; opens and closes a connection of its own. [init]
#pragma once

#include <string>
#include <vector>

#include "host/persistence/catalog.hpp"
#include "host/persistence/session.hpp"

namespace plexsphere::host::persistence {

// Nothing is executed: the server parses, types and plans each statement with null parameters,
// which also checks the role's privileges on every table and function it names.
// Returns one sentence per statement that is wrong, with its name and the server's words; an empty
// list means all are right. Throws StoreError(PX_UNAVAILABLE) when the database is away.
[[nodiscard]] std::vector<std::string> check_statements(
    const SessionOptions& options, const std::string& role,
    const std::vector<const Statement*>& statements);

}  // namespace plexsphere::host::persistence
