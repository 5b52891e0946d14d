// What an attacker does who has all rights in the database and no signer, and what is found of it.
#pragma once

#include <string>
#include <vector>

#include "tamper/site.hpp"

namespace plexsphere::tamper {

struct Attack {
  std::string name;
  std::string sql;
  Verdicts found;  // nothing where it says so: what nobody there can know
};

// Each on the chain as it was made.
std::vector<Attack> column_attacks(Site& site);
std::vector<Attack> order_attacks(Site& site);
std::vector<Attack> head_attacks(Site& site);
std::vector<Attack> rewriting_attacks(Site& site);
std::vector<Attack> checkpoint_attacks(Site& site);
std::vector<Attack> sibling_attacks(Site& site);

}  // namespace plexsphere::tamper
