#include "host/migration/plan.hpp"

#include <algorithm>
#include <set>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::migration {
namespace {

constexpr std::size_t kMaxIdentifier = 63;  // NAMEDATALEN - 1

std::vector<std::string> roles_of(const std::vector<std::string>& ports) {
  std::vector<std::string> out;
  for (const std::string& port : ports) {
    out.push_back(port_role(port));
  }
  return out;
}

void check_length(const std::string& name) {
  if (name.size() > kMaxIdentifier) {
    throw persistence::StoreError(PX_INVALID_ARGUMENT, "identifier_too_long",
                                  "the database name '" + name + "' has " +
                                      std::to_string(name.size()) + " bytes; the limit is 63");
  }
}

bool provides(const config::Manifest& manifest, const std::string& port) {
  return std::ranges::find(manifest.provided_ports, port) != manifest.provided_ports.end();
}

// Depth first; cycles are refused by the loader, here they only end the descent.
void visit(const config::Manifest& manifest, const std::vector<config::Manifest>& all,
           std::set<std::string>& seen, std::vector<const config::Manifest*>& out) {
  if (!seen.insert(manifest.id).second) {
    return;
  }
  for (const std::string& port : manifest.required_ports) {
    for (const config::Manifest& other : all) {
      if (provides(other, port)) {
        visit(other, all, seen, out);
      }
    }
  }
  out.push_back(&manifest);
}

}  // namespace

std::string port_role(const std::string& port) {
  std::string stem = port.substr(0, port.find('/'));
  if (stem.starts_with("px.")) {
    stem.erase(0, 3);
  }
  std::ranges::replace_if(
      stem, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')); }, '_');
  std::string role = "port_" + stem;
  check_length(role);
  return role;
}

ContextPlan plan_for(const config::Manifest& manifest) {
  ContextPlan plan;
  plan.context = manifest.id;
  check_length(plan.owner());
  plan.provides = roles_of(manifest.provided_ports);
  plan.uses = roles_of(manifest.required_ports);
  for (std::string& role : roles_of(manifest.wanted_ports)) {
    plan.uses.push_back(std::move(role));
  }
  if (!manifest.capabilities.events.empty()) {
    plan.uses.push_back("port_outbox");
  }
  plan.files = read_migrations(manifest.directory / "migrations");
  return plan;
}

ContextPlan platform_plan() {
  ContextPlan plan;
  plan.context = "platform";
  plan.provides = {"port_outbox"};
  plan.files = platform_migrations();
  return plan;
}

std::vector<ContextPlan> plans_for(const std::vector<config::Manifest>& manifests) {
  std::vector<const config::Manifest*> ordered;
  std::set<std::string> seen;
  for (const config::Manifest& manifest : manifests) {
    visit(manifest, manifests, seen, ordered);
  }
  std::vector<ContextPlan> plans{platform_plan()};
  for (const config::Manifest* manifest : ordered) {
    if (manifest->capabilities.schema) {
      plans.push_back(plan_for(*manifest));
    }
  }
  return plans;
}

}  // namespace plexsphere::host::migration
