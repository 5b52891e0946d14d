#include "http/answers.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::tenancy {
namespace {

struct Known {
  std::string_view reason;
  int status;
};

constexpr std::array<Known, 11> kKnown{{{"domain_not_found", 404},
                                        {"project_not_found", 404},
                                        {"resource_not_found", 404},
                                        {"domain_slug_conflict", 409},
                                        {"mesh_cidr_overlap", 409},
                                        {"project_slug_conflict", 409},
                                        {"sub_range_overlap", 409},
                                        {"parent_domain_missing", 409},
                                        {"external_ref_conflict", 409},
                                        {"resource_not_empty", 409},
                                        {"invalid_project", 400}}};

}  // namespace

nlohmann::json to_json(const DomainRow& row) {
  nlohmann::json out{{"id", row.id.text()},
                     {"name", row.name},
                     {"slug", row.slug},
                     {"description", row.description},
                     {"mesh_cidr", row.mesh_cidr},
                     {"reachability",
                      {{"heartbeat_interval", duration_text(row.reachability.heartbeat_interval)},
                       {"stale_after", duration_text(row.reachability.stale_after)},
                       {"unreachable_after", duration_text(row.reachability.unreachable_after)}}},
                     {"created_at", sdk::rfc3339(row.created_at)},
                     {"updated_at", sdk::rfc3339(row.updated_at)}};
  if (row.region) {
    out["region"] = *row.region;
  }
  return out;
}

nlohmann::json to_json(const ProjectRow& row) {
  nlohmann::json out{{"id", row.id.text()},
                     {"domain_id", row.domain_id.text()},
                     {"name", row.name},
                     {"slug", row.slug},
                     {"description", row.description},
                     {"created_at", sdk::rfc3339(row.created_at)},
                     {"updated_at", sdk::rfc3339(row.updated_at)}};
  if (row.sub_range_cidr) {
    out["sub_range_cidr"] = *row.sub_range_cidr;
  }
  return out;
}

nlohmann::json to_json(const ResourceRow& row) {
  nlohmann::json out{{"id", row.id.text()},
                     {"project_id", row.project_id.text()},
                     {"domain_id", row.domain_id.text()},
                     {"kind", row.kind},
                     {"origin", row.origin},
                     {"created_at", sdk::rfc3339(row.created_at)},
                     {"updated_at", sdk::rfc3339(row.updated_at)}};
  if (row.external_ref) {
    out["external_ref"] = *row.external_ref;
  }
  return out;
}

sdk::Problem problem_of(const sdk::Error& error) {
  const auto* known =
      std::ranges::find_if(kKnown, [&](const Known& k) { return k.reason == error.reason; });
  if (known != kKnown.end()) {
    return {known->status, error.reason, error.detail, {}, {}};
  }
  if (error.reason == "signing_unavailable") {
    return sdk::signing_unavailable();
  }
  if (error.reason == "authz_unavailable") {
    return sdk::authz_unavailable();
  }
  if (error.reason == "draining") {
    return sdk::unavailable("overloaded", "The server cannot take the request now; try again.");
  }
  return sdk::store_problem(error);
}

}  // namespace plexsphere::tenancy
