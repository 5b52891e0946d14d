// Holds who the pseudonyms of a chain are said to be against the pseudonyms themselves: whoever can
// write to the database could have one person's entries shown as another's.
//
// Takes the chain's pepper, so it is done where that can be had; whoever has only the database can
// neither do it nor make a person fit a pseudonym. Thread-safe; blocks on the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/peppers.hpp"
#include "domain/chain_walk.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

class SubjectCheck {
 public:
  SubjectCheck(AuditStore store, Peppers& peppers) : store_(std::move(store)), peppers_(peppers) {}

  // The first that is somebody else, under the first entry of the pseudonym. UNAVAILABLE
  // "pepper_unavailable": nobody can tell.
  sdk::Result<std::optional<Divergence>> every(const sdk::Uuid& chain) const;
  // The same of at most `limit` whose pseudonyms are beyond `after`, which is moved on to the last
  // of them; to the beginning after the last of all.
  sdk::Result<std::optional<Divergence>> next(const sdk::Uuid& chain, std::string& after,
                                              std::int64_t limit) const;

 private:
  sdk::Result<bool> is_named(const sdk::Uuid& chain, const NamedSubject& subject) const;

  AuditStore store_;
  Peppers& peppers_;
};

}  // namespace plexsphere::audit
