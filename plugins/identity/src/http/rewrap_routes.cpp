#include "http/rewrap_routes.hpp"

#include <algorithm>

#include "http/actor.hpp"
#include "http/deregister_routes.hpp"
#include "http/errors.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Json;

constexpr std::string_view kAll = "/v1/admin/nsk/rewrap";
constexpr std::string_view kOne = "/v1/admin/domains/{id}/nsk/rewrap";
constexpr std::string_view kList = "nsk-rewrap";

sdk::Route platform_route(std::string_view method, std::string_view path) {
  sdk::Route route{method, path};
  route.permission = "manage";
  route.object_type = "platform";
  route.bad_id_code = "invalid_domain_id";
  return route;
}

Json shown(const RewrapRun& run) {
  Json out{{"id", run.id.text()},
           {"domain_id", run.domain_id.text()},
           {"state", text_of(run.state)},
           {"from_version", run.from_version},
           // Joiners came under the older key after the keys were counted.
           {"total", std::max(run.total, run.rewrapped)},
           {"rewrapped", run.rewrapped},
           {"requested_at", sdk::rfc3339(run.requested_at)}};
  if (run.to_version > 0) {
    out["to_version"] = run.to_version;
  }
  const std::pair<const char*, const std::optional<sdk::Instant>&> times[] = {
      {"started_at", run.started_at},
      {"finished_at", run.finished_at},
      {"retired_at", run.retired_at}};
  for (const auto& [name, time] : times) {
    if (time) {
      out[name] = sdk::rfc3339(*time);
    }
  }
  return out;
}

sdk::Problem body_refused() {
  return sdk::bad_request("invalid_body", "The call takes no body, or an empty object.");
}

sdk::Answer begin_one(const sdk::Request& request, const Rewrap& rewrap) {
  if (!empty_body(request.body())) {
    return body_refused();
  }
  auto run = rewrap.request(request.uuid("id"), actor_of(request), CallContext::of(request));
  return run.ok() ? sdk::Answer(sdk::Response::json(202, shown(*run).dump()))
                  : sdk::Answer(problem_of(run.error()));
}

sdk::Answer begin_all(const sdk::Request& request, const Rewrap& rewrap) {
  if (!empty_body(request.body())) {
    return body_refused();
  }
  auto begun = rewrap.request_all(actor_of(request), CallContext::of(request));
  return begun.ok() ? sdk::Answer(sdk::Response::json(202, Json{{"begun", *begun}}.dump()))
                    : sdk::Answer(problem_of(begun.error()));
}

sdk::Answer show_one(const sdk::Request& request, const Rewrap& rewrap) {
  auto run = rewrap.status(request.uuid("id"));
  return run.ok() ? sdk::Answer(sdk::Response::json(200, shown(*run).dump()))
                  : sdk::Answer(problem_of(run.error()));
}

sdk::Answer list(const sdk::Request& request, const Rewrap& rewrap,
                 const sdk::CursorCodec& cursors) {
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  const Actor caller = actor_of(request);
  const std::string owner = caller.type + ":" + caller.id.text();
  const sdk::CursorScope scope{kList, owner};
  auto after = page_start(request, cursors, scope);
  if (!after.ok()) {
    return sdk::paging_problem(after.error());
  }
  auto page = rewrap.page(*after, *limit);
  if (!page.ok()) {
    return problem_of(page.error());
  }
  Json items = Json::array();
  for (const RewrapRun& run : *page) {
    items.push_back(shown(run));
  }
  Json body{{"items", std::move(items)}};
  if (static_cast<std::int64_t>(page->size()) == *limit) {
    body["next_cursor"] = cursors.encode(scope, page->back().domain_id.bytes());
  }
  return sdk::Response::json(200, body.dump());
}

}  // namespace

sdk::Status add_rewrap_routes(const sdk::Router& router, const Rewrap& rewrap,
                              const sdk::CursorCodec& cursors) {
  const std::pair<sdk::Route, sdk::Router::Handler> routes[] = {
      {platform_route("POST", kOne),
       [&rewrap](const sdk::Request& request) { return begin_one(request, rewrap); }},
      {platform_route("GET", kOne),
       [&rewrap](const sdk::Request& request) { return show_one(request, rewrap); }},
      {platform_route("POST", kAll),
       [&rewrap](const sdk::Request& request) { return begin_all(request, rewrap); }},
      {platform_route("GET", kAll), [&rewrap, &cursors](const sdk::Request& request) {
         return list(request, rewrap, cursors);
       }}};
  for (const auto& [route, handler] : routes) {
    if (auto added = router.add(route, handler); !added.ok()) {
      return added;
    }
  }
  return {};
}

}  // namespace plexsphere::identity
