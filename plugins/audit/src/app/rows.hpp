// From an entry to its rows: the chains it belongs to, and in each the pseudonyms of its subject
// and, where the object is a person, of its object. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/denial_cap.hpp"
#include "app/entry.hpp"
#include "app/peppers.hpp"
#include "app/resolvers.hpp"

namespace plexsphere::audit {

// UNAVAILABLE "pepper_unavailable". May block on the database.
[[nodiscard]] sdk::Result<Row> row_in(const sdk::Uuid& chain, const Entry& entry, Peppers& peppers);

// The same if the chain's pepper is in memory; does not block.
[[nodiscard]] std::optional<Row> known_row_in(const sdk::Uuid& chain, const Entry& entry,
                                              const Peppers& peppers);

// Something that this context did of itself and writes into a chain: granted, by the system.
struct OwnAct {
  std::string_view by;  // the job
  std::string_view relation;
  std::string_view object_type;
  std::string object_id;
  std::string correlation_id{};  // empty: none
  std::vector<std::string> path{};
};

// UNAVAILABLE "pepper_unavailable", INVALID_ARGUMENT for what copy_entry refuses. May block.
[[nodiscard]] sdk::Result<Row> own_row(const sdk::Uuid& chain, const OwnAct& act, sdk::Instant now,
                                       Peppers& peppers);

// The rows of recorded entries. A refusal beyond its principal's cap may have fewer than it has
// chains, or none; see DenialCap.
class RecordedRows {
 public:
  RecordedRows(Resolvers& resolvers, Peppers& peppers, DenialCap& cap)
      : resolvers_(resolvers), peppers_(peppers), cap_(cap) {}

  // FAILED_PRECONDITION "domain_unresolved", UNAVAILABLE "pepper_unavailable". May block.
  [[nodiscard]] sdk::Result<std::vector<Row>> of(const Entry& entry) const;
  // The same if neither a resolver nor the database has to be asked.
  [[nodiscard]] std::optional<std::vector<Row>> known_of(const Entry& entry) const;

 private:
  void cap(const Entry& entry, std::vector<Row>& rows) const;

  Resolvers& resolvers_;
  Peppers& peppers_;
  DenialCap& cap_;
};

}  // namespace plexsphere::audit
