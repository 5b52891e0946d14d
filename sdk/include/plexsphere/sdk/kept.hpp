// What a plugin hands to the host for the rest of the process.
#pragma once

#include <deque>
#include <utility>

namespace plexsphere::sdk::inline v1::detail {

// Moves `value` to where it stays for the life of the process. It remains reachable, so that a leak
// checker takes it for kept and not for lost. [init]
template <typename T>
T* keep(T value) {
  static auto* kept = new std::deque<T>;  // never destroyed: threads of the host may still call
  return &kept->emplace_back(std::move(value));
}

}  // namespace plexsphere::sdk::inline v1::detail
