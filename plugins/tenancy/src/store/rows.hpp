// What the tables of this context hold, as values.
#pragma once

#include <optional>
#include <string>

#include "domain/reachability.hpp"
#include "plexsphere/sdk/time.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::tenancy {

struct DomainRow {
  sdk::Uuid id;
  std::string name;
  std::string slug;
  std::string description;
  std::optional<std::string> region;
  std::string mesh_cidr;
  Reachability reachability;
  sdk::Instant created_at{};
  sdk::Instant updated_at{};
};

struct ProjectRow {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  std::string name;
  std::string slug;
  std::string description;
  std::optional<std::string> sub_range_cidr;
  sdk::Instant created_at{};
  sdk::Instant updated_at{};
};

struct ResourceRow {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  sdk::Uuid project_id;
  std::string kind;
  std::optional<std::string> external_ref;
  std::string origin;
  sdk::Instant created_at{};
  sdk::Instant updated_at{};
};

}  // namespace plexsphere::tenancy
