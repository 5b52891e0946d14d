// Which chain, or chains, a decision belongs to.
//
// The chains of the Domains that own the object; if none does, the Domain of the subject; if the
// subject is of platform scope, the platform's chain. Objects of type "platform" live there by
// nature. Everything else is unresolved and must be refused: the platform's chain is a residency,
// never the place where lost entries end up.
//
// Pure. `Id` is any regular identifier type whose default value means "none".
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace plexsphere::audit {

template <typename Id>
struct Parties {
  std::string_view object_type;
  std::vector<Id> owners;  // Domains that own the object
  Id subject_domain;
  bool subject_is_platform = false;
};

// Ascending, without repetition; empty when the decision has no residency.
template <typename Id>
std::vector<Id> chains_of(const Parties<Id>& parties, const Id& platform_anchor) {
  if (parties.object_type == "platform") {
    return {platform_anchor};
  }
  if (!parties.owners.empty()) {
    std::vector<Id> chains = parties.owners;
    std::sort(chains.begin(), chains.end());
    chains.erase(std::unique(chains.begin(), chains.end()), chains.end());
    return chains;
  }
  if (parties.subject_domain != Id{}) {
    return {parties.subject_domain};
  }
  return parties.subject_is_platform ? std::vector<Id>{platform_anchor} : std::vector<Id>{};
}

}  // namespace plexsphere::audit
