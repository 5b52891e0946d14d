#include <memory>
#include <utility>

#include "http/answers.hpp"
#include "http/listing.hpp"
#include "http/requests.hpp"
#include "http/routes.hpp"

namespace plexsphere::tenancy {

sdk::Status Routes::add_domains(const sdk::Router& router) {
  sdk::Status added = router.add_async(
      {.method = "POST", .path = "/v1/domains", .permission = "manage", .object_type = "platform"},
      [this](const sdk::Request& request, sdk::Responder responder) {
        create_domain(request, std::move(responder));
      });
  if (!added.ok()) {
    return added;
  }
  added = router.add_async({.method = "GET", .path = "/v1/domains", .flags = PX_ROUTE_CHECKS_SELF},
                           [this](const sdk::Request& request, sdk::Responder responder) {
                             list_domains(request, std::move(responder));
                           });
  if (!added.ok()) {
    return added;
  }
  return router.add({.method = "GET",
                     .path = "/v1/domains/{id}",
                     .permission = "read",
                     .object_type = "domain",
                     .object_parameter = "id",
                     .not_found_code = "domain_not_found",
                     .bad_id_code = "invalid_domain_id"},
                    [this](const sdk::Request& request) { return get_domain(request); });
}

void Routes::create_domain(const sdk::Request& request, sdk::Responder responder) {
  auto decoded = decode_domain(request.body());
  if (auto* problem = std::get_if<sdk::Problem>(&decoded)) {
    responder.send(*problem);
    return;
  }
  // Shared because std::function wants to be copyable; the completion is the only owner.
  auto waiting = std::make_shared<sdk::Responder>(std::move(responder));
  create_domain_.run(Caller::of(request), std::move(std::get<DomainRow>(decoded)),
                     [waiting](const sdk::Result<DomainRow>& row) {
                       waiting->send(row.ok() ? sdk::Answer(created(*row, "/v1/domains/"))
                                              : sdk::Answer(problem_of(row.error())));
                     });
}

void Routes::list_domains(const sdk::Request& request, sdk::Responder responder) {
  const Caller caller = Caller::of(request);
  const std::string owner = caller.reference.type + ":" + caller.reference.id;
  const sdk::CursorScope scope{"domains", owner};
  auto page = page_request(request, cursors_, scope);
  if (auto* problem = std::get_if<sdk::Problem>(&page)) {
    responder.send(*problem);
    return;
  }
  const auto& [limit, after] = std::get<PageRequest>(page);
  auto rows = services_.domains.list(after, limit + 1);
  if (!rows.ok()) {
    responder.send(problem_of(rows.error()));
    return;
  }
  auto answer = page_answer(
      services_, caller.reference, "read", "domain", std::move(*rows), limit, cursors_, scope,
      [](const DomainRow& row) { return row.slug; }, true);
  answer_listed(request, "domain.list", std::move(answer), std::move(responder));
}

sdk::Answer Routes::get_domain(const sdk::Request& request) {
  const auto row = services_.domains.find(request.uuid("id"));
  return row.ok() ? sdk::Answer(sdk::Response::json(200, to_json(*row).dump()))
                  : sdk::Answer(problem_of(row.error()));
}

void Routes::answer_listed(const sdk::Request& request, const char* action, sdk::Answer answer,
                           sdk::Responder responder) {
  if (std::holds_alternative<sdk::Problem>(answer)) {
    responder.send(answer);
    return;
  }
  auto entry = sdk::AuditEntry::of(request, action, "platform", "plexsphere");
  entry.in_platform();  // a list across Domains belongs to none of them
  auto waiting = std::make_shared<sdk::Responder>(std::move(responder));
  services_.audit.record(entry, [waiting, answer = std::move(answer)](const sdk::Status& recorded) {
    waiting->send(recorded.ok() ? answer : sdk::audit_unavailable());
  });
}

}  // namespace plexsphere::tenancy
