// A load: many agents that come, live and leave against a running control plane, and a check that
// the server knows exactly those that are left.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace plexsphere::sim {

struct LoadOptions {
  std::vector<std::string> urls;  // of replicas, taken in turn; at least one
  std::string token;              // of an operator who may create Domains
  int nodes = 50;
  int domains = 1;  // new ones, the Nodes spread over them
  int workers = 8;  // turns at once; no more than Nodes
  std::chrono::seconds duration{10};
  double churn = 0.05;  // after which part of its turns a Node leaves and a new one enrols
};

// Enrols the Nodes, then has them take turns for the duration. Prints one line of JSON. True when
// every operation succeeded and the server lists the live Nodes and no other, as does the state
// that it gives them. Throws when not even the Domains can be made.
bool load(const LoadOptions& options);

}  // namespace plexsphere::sim
