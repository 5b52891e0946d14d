#include "http/requests.hpp"

#include <optional>
#include <string>
#include <utility>

#include "domain/cidr.hpp"
#include "domain/names.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::tenancy {
namespace {

using sdk::bad_request;
using sdk::BodyReader;

constexpr const char* kNotProvisioned = "resources_not_provisioned";

std::string sentence(const std::string& fault) {
  return "The request is refused: " + fault + ".";
}

// Members that Domains and Projects have in common. Faults go to the reader.
struct Naming {
  std::string name;
  std::string slug;
  std::string description;
};

Naming read_naming(BodyReader& body) {
  Naming out{body.text("name", 1, 255), body.text("slug", 1, 64),
             body.optional_text("description", 0, 1024).value_or("")};
  if (is_blank(out.name)) {
    body.fail("\"name\" must not be blank");
  }
  if (!is_slug(out.slug)) {
    body.fail("\"slug\" must be lower-case letters and digits in groups joined by single hyphens");
  }
  if (!out.description.empty() && is_blank(out.description)) {
    body.fail("\"description\" must be empty or not blank");
  }
  return out;
}

std::string read_cidr(BodyReader& body, const char* member, const std::string& text) {
  const auto cidr = Cidr::parse(text);
  if (!cidr) {
    body.fail("\"" + std::string(member) +
              "\" must be an IPv4 or IPv6 range without host bits, such as \"10.4.0.0/16\"");
  }
  return cidr ? cidr->text() : std::string{};
}

// Absent members stay empty; the domain judges what that means.
std::variant<Reachability, std::string> read_reachability(const sdk::Json* json) {
  ReachabilityText text;
  if (json == nullptr) {
    return Reachability{};
  }
  if (!json->is_object()) {
    return "\"reachability\" must be an object.";
  }
  for (const auto& [name, into] : {std::pair{"heartbeat_interval", &text.heartbeat_interval},
                                   std::pair{"stale_after", &text.stale_after},
                                   std::pair{"unreachable_after", &text.unreachable_after}}) {
    const auto at = json->find(name);
    if (at != json->end() && !at->is_string()) {
      return "\"" + std::string(name) + "\" must be a duration such as \"30s\".";
    }
    *into = at == json->end() ? std::string{} : at->get<std::string>();
  }
  return reachability_of(text);
}

}  // namespace

Decoded<DomainRow> decode_domain(std::string_view text) {
  const auto json = sdk::parse_json(text);
  if (!json.ok()) {
    return bad_request("invalid_domain", json.error().detail);
  }
  BodyReader body(*json);
  DomainRow row;
  Naming naming = read_naming(body);
  row.name = std::move(naming.name);
  row.slug = std::move(naming.slug);
  row.description = std::move(naming.description);
  row.region = body.optional_text("region", 1, 64);
  if (row.region && !is_slug(*row.region)) {
    body.fail("\"region\" must be lower-case letters and digits in groups joined by hyphens");
  }
  row.mesh_cidr = read_cidr(body, "mesh_cidr", body.text("mesh_cidr", 1, 49));
  const sdk::Json* reachability = body.seen("reachability");
  if (const auto& fault = body.fault_ignoring_unknown()) {
    return bad_request("invalid_domain", sentence(*fault));
  }
  const auto policy = read_reachability(reachability);
  if (const auto* fault = std::get_if<std::string>(&policy)) {
    return bad_request("invalid_reachability_policy", *fault);
  }
  row.reachability = std::get<Reachability>(policy);
  return row;
}

Decoded<ProjectRow> decode_project(std::string_view text) {
  const auto json = sdk::parse_json(text);
  if (!json.ok() || !json->is_object()) {
    return bad_request("invalid_body",
                       json.ok() ? "The body must be a JSON object." : json.error().detail);
  }
  BodyReader body(*json);
  ProjectRow row;
  row.domain_id = body.uuid("domain_id");
  Naming naming = read_naming(body);
  row.name = std::move(naming.name);
  row.slug = std::move(naming.slug);
  row.description = std::move(naming.description);
  if (const auto range = body.optional_text("sub_range_cidr", 1, 49)) {
    row.sub_range_cidr = read_cidr(body, "sub_range_cidr", *range);
  }
  if (const auto& fault = body.fault_ignoring_unknown()) {
    return bad_request("invalid_project", sentence(*fault));
  }
  return row;
}

Decoded<ResourceRow> decode_resource(std::string_view text) {
  const auto json = sdk::parse_json(text);
  if (!json.ok()) {
    return bad_request("invalid_body", json.error().detail);
  }
  BodyReader body(*json);
  ResourceRow row;
  row.origin = body.text("origin", 1, 64);
  row.kind = body.text("kind", 1, 64);
  row.external_ref = body.optional_text("external_ref", 1, 256);
  const bool blueprint = body.optional_uuid("blueprint_version_id").has_value();
  const bool credential = body.optional_uuid("cloud_credential_id").has_value();
  const sdk::Json* parameters = body.seen("parameters");
  if (parameters != nullptr && !parameters->is_object()) {
    body.fail("\"parameters\" must be an object");
  }
  if (is_blank(row.kind)) {
    body.fail("\"kind\" must not be blank");
  }
  if (row.external_ref && is_blank(*row.external_ref)) {
    body.fail("\"external_ref\" must not be blank");
  }
  if (const auto fault = body.fault()) {
    return bad_request("invalid_body", sentence(*fault));
  }
  const bool provisioned = row.origin == "provisioned";
  if (!provisioned && row.origin != "adopted") {
    return bad_request("invalid_resource_origin",
                       "\"origin\" must be \"adopted\" or \"provisioned\".");
  }
  if (!provisioned && (blueprint || credential || parameters != nullptr)) {
    return bad_request("invalid_resource_origin",
                       "blueprint_version_id, cloud_credential_id and parameters are for "
                       "provisioned Resources only.");
  }
  if (provisioned && row.external_ref) {
    return bad_request("invalid_resource_origin", "external_ref is for adopted Resources only.");
  }
  if (provisioned) {
    return sdk::Problem{501, kNotProvisioned, "Provisioning Resources is not built yet.", {}, {}};
  }
  return row;
}

}  // namespace plexsphere::tenancy
