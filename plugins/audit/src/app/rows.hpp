// From an entry to its row in a chain: the pseudonyms of its subject and, where the object is a
// person, of its object. Thread-safe.
#pragma once

#include <optional>

#include "app/entry.hpp"
#include "app/peppers.hpp"

namespace plexsphere::audit {

// UNAVAILABLE "pepper_unavailable". May block on the database.
[[nodiscard]] sdk::Result<Row> row_in(const sdk::Uuid& chain, const Entry& entry, Peppers& peppers);

// The same if the chain's pepper is in memory; does not block.
[[nodiscard]] std::optional<Row> known_row_in(const sdk::Uuid& chain, const Entry& entry,
                                              const Peppers& peppers);

}  // namespace plexsphere::audit
