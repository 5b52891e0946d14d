#include "app/residency.hpp"

namespace plexsphere::tenancy {

using Owners = sdk::Result<std::vector<sdk::Uuid>>;

Owners Residency::find(std::string_view text, const Look& look) {
  const auto id = sdk::Uuid::parse(text);
  if (!id) {
    return std::vector<sdk::Uuid>{};
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto at = known_.find(*id); at != known_.end()) {
      return std::vector{at->second};
    }
  }
  const auto owner = look(*id);
  if (!owner.ok()) {
    return owner.error().code == sdk::Code::not_found ? Owners(std::vector<sdk::Uuid>{})
                                                      : Owners(owner.error());
  }
  const std::lock_guard lock(mutex_);
  if (known_.size() >= kMostRemembered) {
    known_.clear();
  }
  known_.emplace(*id, *owner);
  return std::vector{*owner};
}

Owners Residency::of_domain(std::string_view id) {
  return find(id, [&](const sdk::Uuid& domain) -> sdk::Result<sdk::Uuid> {
    const auto exists = services_.domains.exists(domain);
    if (!exists.ok()) {
      return exists.error();
    }
    return *exists ? sdk::Result<sdk::Uuid>(domain)
                   : sdk::Result<sdk::Uuid>(
                         sdk::Error{sdk::Code::not_found, "domain_not_found", "No such Domain."});
  });
}

Owners Residency::of_project(std::string_view id) {
  return find(id, [&](const sdk::Uuid& project) { return services_.projects.domain_of(project); });
}

Owners Residency::of_resource(std::string_view id) {
  return find(id, [&](const sdk::Uuid& it) { return services_.resources.domain_of(it); });
}

}  // namespace plexsphere::tenancy
