#include <memory>
#include <optional>
#include <utility>

#include "app/create_children.hpp"
#include "app/gate.hpp"
#include "http/answers.hpp"
#include "http/listing.hpp"
#include "http/requests.hpp"
#include "http/routes.hpp"

namespace plexsphere::tenancy {
namespace {

// A cursor's payload: id (16 bytes), then the slug.
std::string payload_of(const ProjectRow& row) {
  return std::string(row.id.bytes()) + row.slug;
}

ProjectPosition position_of(const std::string& payload) {
  const auto id = sdk::Uuid::from_bytes(std::string_view(payload).substr(0, 16));
  return id ? ProjectPosition{payload.substr(16), *id} : ProjectPosition{};
}

sdk::Answer after_gate(Services& services, const Caller& caller, const ProjectRow& draft,
                       const GateResult& gate) {
  if (!gate.ok() && gate.error().reason == "domain_unresolved") {
    return sdk::conflict("parent_domain_missing", "There is no such Domain.");
  }
  if (!gate.ok()) {
    return problem_of(gate.error());
  }
  if (*gate != PX_REASON_GRANTED) {
    return sdk::permission_denied(*gate);
  }
  const auto row = create_project(services, caller, draft);
  return row.ok() ? sdk::Answer(created(*row, "/v1/projects/"))
                  : sdk::Answer(problem_of(row.error()));
}

}  // namespace

sdk::Status Routes::add_projects(const sdk::Router& router) {
  // The Domain whose `manage` is checked stands in the body.
  sdk::Status added =
      router.add_async({.method = "POST", .path = "/v1/projects", .flags = PX_ROUTE_CHECKS_SELF},
                       [this](const sdk::Request& request, sdk::Responder responder) {
                         create_project(request, std::move(responder));
                       });
  if (!added.ok()) {
    return added;
  }
  added = router.add_async({.method = "GET", .path = "/v1/projects", .flags = PX_ROUTE_CHECKS_SELF},
                           [this](const sdk::Request& request, sdk::Responder responder) {
                             list_projects(request, std::move(responder));
                           });
  if (!added.ok()) {
    return added;
  }
  return router.add({.method = "GET",
                     .path = "/v1/projects/{id}",
                     .permission = "read",
                     .object_type = "project",
                     .object_parameter = "id",
                     .not_found_code = "project_not_found",
                     .bad_id_code = "invalid_project_id"},
                    [this](const sdk::Request& request) { return get_project(request); });
}

void Routes::create_project(const sdk::Request& request, sdk::Responder responder) {
  auto decoded = decode_project(request.body());
  if (auto* problem = std::get_if<sdk::Problem>(&decoded)) {
    responder.send(*problem);
    return;
  }
  auto waiting = std::make_shared<sdk::Responder>(std::move(responder));
  Caller caller = Caller::of(request);
  ProjectRow draft = std::move(std::get<ProjectRow>(decoded));
  const sdk::Reference domain{"domain", draft.domain_id.text(), {}};
  pass_gate(services_, caller, "manage", domain,
            [this, waiting, caller, draft = std::move(draft)](const GateResult& gate) {
              waiting->send(after_gate(services_, caller, draft, gate));
            });
}

void Routes::list_projects(const sdk::Request& request, sdk::Responder responder) {
  std::optional<sdk::Uuid> domain;
  if (const auto filter = request.query("domain_id")) {
    domain = sdk::Uuid::parse(*filter);
    if (!domain || domain->is_zero()) {
      responder.send(sdk::bad_request("invalid_domain_filter",
                                      "\"domain_id\" must be a UUID other than zero."));
      return;
    }
  }
  const Caller caller = Caller::of(request);
  const std::string owner = caller.reference.type + ":" + caller.reference.id;
  const std::string list = "projects/" + (domain ? domain->text() : std::string{});
  const sdk::CursorScope scope{list, owner};
  auto page = page_request(request, cursors_, scope);
  if (auto* problem = std::get_if<sdk::Problem>(&page)) {
    responder.send(*problem);
    return;
  }
  const auto& [limit, after] = std::get<PageRequest>(page);
  auto rows = services_.projects.list(domain, position_of(after), limit + 1);
  if (!rows.ok()) {
    responder.send(problem_of(rows.error()));
    return;
  }
  auto answer = page_answer(services_, caller.reference, "read", "project", std::move(*rows), limit,
                            cursors_, scope, payload_of, true);
  answer_listed(request, "project.list", std::move(answer), std::move(responder));
}

sdk::Answer Routes::get_project(const sdk::Request& request) {
  const auto row = services_.projects.find(request.uuid("id"));
  return row.ok() ? sdk::Answer(sdk::Response::json(200, to_json(*row).dump()))
                  : sdk::Answer(problem_of(row.error()));
}

}  // namespace plexsphere::tenancy
