// The parts of the audit benchmark. Each prints its figures and tells whether all of them hold.
#pragma once

#include <chrono>
#include <cstdint>

#include "chain_database.hpp"

namespace plexsphere::bench {

struct Plan {
  int rounds = 5;
  std::chrono::milliseconds round{1500};
  std::int64_t short_chain = 10'000;
  std::int64_t long_chain = 1'000'000;
  std::int64_t export_size = 100'000;
  int registrations = 480;  // of a round; a multiple of the clients
};

bool decisions(const Plan& plan, audit::test::ChainDatabase& database);
bool verification(const Plan& plan, audit::test::ChainDatabase& database);
bool exports(const Plan& plan);
bool registrations(const Plan& plan);

// SHA-256 of entries in a loop: the same two hashes an entry, over bytes of the same size, with the
// digest fetched once and one context, and nothing to fetch, decode or compare. Entries a second.
double hashed_per_second(const std::string& canonical, std::int64_t entries);

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace plexsphere::bench
