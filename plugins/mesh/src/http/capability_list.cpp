#include "http/capability_list.hpp"

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::mesh {
namespace {

using Json = nlohmann::ordered_json;

// No artifact is on record anywhere in the product, so there is nothing to compare a checksum with:
// every row is "unknown", and the two other words find none.
constexpr std::string_view kUnknown = "unknown";
constexpr std::array<std::string_view, 3> kStatuses{"match", "drift", kUnknown};

Json object_of(const CapabilityRow& row) {
  return {{"node_id", row.node_id.text()},
          {"domain_id", row.domain_id.text()},
          {"binary_version", row.binary_version},
          {"binary_checksum", row.binary_checksum},
          {"status", kUnknown},
          {"reported_at", sdk::rfc3339(row.reported_at)}};
}

}  // namespace

sdk::Status CapabilityList::add(const sdk::Router& router, sdk::CursorCodec cursors) {
  cursors_ = std::move(cursors);
  return router.add_async({.method = "GET",
                           .path = "/v1/projects/{project_id}/capabilities",
                           .permission = "read",
                           .object_type = "platform",
                           .bad_id_code = "invalid_project_id"},
                          [this](const sdk::Request& request, sdk::Responder responder) {
                            answer(request, std::move(responder));
                          });
}

std::variant<CapabilityList::Query, sdk::Problem> CapabilityList::read_query(
    const sdk::Request& request) const {
  const auto who = request.principal();
  Query query;
  query.project_id = request.uuid("project_id");
  query.caller = {std::string(who.reference_type()), who.id.text()};
  query.owner = query.caller.type + ":" + query.caller.id;
  if (const auto node = request.query("node_id")) {
    query.node_id = sdk::Uuid::parse(*node);
    if (!query.node_id || query.node_id->is_zero()) {
      return sdk::bad_request("invalid_node_id", "\"node_id\" must be a non-zero UUID.");
    }
  }
  if (const auto status = request.query("status")) {
    if (std::ranges::find(kStatuses, *status) == kStatuses.end()) {
      return sdk::bad_request("invalid_status", "\"status\" must be match, drift or unknown.");
    }
    query.status = std::string(*status);
  }
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  query.limit = *limit;
  query.list = "capabilities/" + query.project_id.text() + "/" +
               (query.node_id ? query.node_id->text() : "") + "/" + query.status.value_or("");
  if (const auto cursor = request.query("cursor")) {
    const auto after = cursors_.decode({query.list, query.owner}, *cursor);
    if (!after.ok()) {
      return sdk::paging_problem(after.error());
    }
    query.after = sdk::Uuid::from_bytes(*after).value_or(sdk::Uuid{});
  }
  return query;
}

sdk::Answer CapabilityList::page(const Query& query) const {
  std::vector<CapabilityRow> rows;
  if (query.status.value_or(std::string(kUnknown)) == kUnknown) {
    auto read = capabilities_.page(query.project_id, query.node_id, query.after, query.limit + 1);
    if (!read.ok()) {
      log_.warn("capability_list_failed",
                {{"reason", read.error().reason}, {"detail", read.error().detail}});
      return sdk::store_problem(read.error());
    }
    rows = std::move(*read);
  }
  Json body{{"items", Json::array()}};
  if (rows.size() > static_cast<std::size_t>(query.limit)) {
    rows.pop_back();
    body["next_cursor"] = cursors_.encode({query.list, query.owner}, rows.back().node_id.bytes());
  }
  std::vector<std::string> domains;
  for (const CapabilityRow& row : rows) {
    domains.push_back(row.domain_id.text());
  }
  const auto allowed = authz_.filter(query.caller, "read", "domain", domains);
  if (!allowed.ok()) {
    return sdk::authz_unavailable();
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if ((*allowed)[i]) {
      body["items"].push_back(object_of(rows[i]));
    }
  }
  return sdk::Response::json(200, body.dump());
}

// The gate has its row already; the filter leaves one for the whole page.
void CapabilityList::answer(const sdk::Request& request, sdk::Responder responder) const {
  auto query = read_query(request);
  if (auto* problem = std::get_if<sdk::Problem>(&query)) {
    responder.send(std::move(*problem));
    return;
  }
  auto listed = page(std::get<Query>(query));
  if (std::holds_alternative<sdk::Problem>(listed)) {
    responder.send(listed);
    return;
  }
  const auto entry = sdk::AuditEntry::of(request, "node_capabilities.list", "project",
                                         request.uuid("project_id").text());
  auto waiting = std::make_shared<sdk::Responder>(std::move(responder));
  audit_.record(entry, [waiting, listed = std::move(listed)](const sdk::Status& recorded) {
    waiting->send(recorded.ok() ? listed : sdk::Answer(sdk::audit_unavailable()));
  });
}

}  // namespace plexsphere::mesh
