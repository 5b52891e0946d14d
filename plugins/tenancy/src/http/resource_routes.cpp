#include <utility>

#include "app/create_children.hpp"
#include "app/delete_resource.hpp"
#include "http/answers.hpp"
#include "http/listing.hpp"
#include "http/requests.hpp"
#include "http/routes.hpp"

namespace plexsphere::tenancy {

sdk::Status Routes::add_resources(const sdk::Router& router) {
  sdk::Status added =
      router.add({.method = "POST",
                  .path = "/v1/projects/{project_id}/resources",
                  .permission = "deploy",
                  .object_type = "project",
                  .object_parameter = "project_id",
                  .not_found_code = "project_not_found",
                  .bad_id_code = "invalid_project_id"},
                 [this](const sdk::Request& request) { return create_resource(request); });
  if (!added.ok()) {
    return added;
  }
  added = router.add({.method = "GET",
                      .path = "/v1/projects/{project_id}/resources",
                      .permission = "observe",
                      .object_type = "project",
                      .object_parameter = "project_id",
                      .not_found_code = "project_not_found",
                      .bad_id_code = "invalid_project_id"},
                     [this](const sdk::Request& request) { return list_resources(request); });
  if (!added.ok()) {
    return added;
  }
  added = router.add({.method = "GET",
                      .path = "/v1/resources/{id}",
                      .permission = "observe",
                      .object_type = "resource",
                      .object_parameter = "id",
                      .not_found_code = "resource_not_found",
                      .bad_id_code = "invalid_resource_id"},
                     [this](const sdk::Request& request) { return get_resource(request); });
  if (!added.ok()) {
    return added;
  }
  return router.add({.method = "DELETE",
                     .path = "/v1/resources/{id}",
                     .permission = "deploy",
                     .object_type = "resource",
                     .object_parameter = "id",
                     .not_found_code = "resource_not_found",
                     .bad_id_code = "invalid_resource_id"},
                    [this](const sdk::Request& request) { return remove_resource(request); });
}

sdk::Answer Routes::create_resource(const sdk::Request& request) {
  auto decoded = decode_resource(request.body());
  if (auto* problem = std::get_if<sdk::Problem>(&decoded)) {
    return *problem;
  }
  ResourceRow draft = std::move(std::get<ResourceRow>(decoded));
  draft.project_id = request.uuid("project_id");
  const auto row = tenancy::create_resource(services_, Caller::of(request), std::move(draft));
  return row.ok() ? sdk::Answer(created(*row, "/v1/resources/"))
                  : sdk::Answer(problem_of(row.error()));
}

sdk::Answer Routes::list_resources(const sdk::Request& request) {
  const Caller caller = Caller::of(request);
  const sdk::Uuid project = request.uuid("project_id");
  const std::string owner = caller.reference.type + ":" + caller.reference.id;
  const std::string list = "resources/" + project.text();
  const sdk::CursorScope scope{list, owner};
  auto page = page_request(request, cursors_, scope);
  if (auto* problem = std::get_if<sdk::Problem>(&page)) {
    return *problem;
  }
  const auto& [limit, after] = std::get<PageRequest>(page);
  auto rows = services_.resources.list(project, sdk::Uuid::from_bytes(after).value_or(sdk::Uuid{}),
                                       limit + 1);
  if (!rows.ok()) {
    return problem_of(rows.error());
  }
  return page_answer(
      services_, caller.reference, "observe", "resource", std::move(*rows), limit, cursors_, scope,
      [](const ResourceRow& row) { return row.id.bytes(); }, false);
}

sdk::Answer Routes::get_resource(const sdk::Request& request) {
  const auto row = services_.resources.find(request.uuid("id"));
  return row.ok() ? sdk::Answer(sdk::Response::json(200, to_json(*row).dump()))
                  : sdk::Answer(problem_of(row.error()));
}

sdk::Answer Routes::remove_resource(const sdk::Request& request) {
  const auto done = delete_resource(services_, Caller::of(request), request.uuid("id"));
  return done.ok() ? sdk::Answer(sdk::Response::empty(204)) : sdk::Answer(problem_of(done.error()));
}

}  // namespace plexsphere::tenancy
