#include "http/node_routes.hpp"

#include <memory>

#include "http/actor.hpp"
#include "http/errors.hpp"
#include "plexsphere/sdk/json.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::identity {
namespace {

using sdk::Json;

struct Listing {
  std::optional<sdk::Uuid> domain_id;  // nothing: all Domains
  sdk::Uuid after;
  int64_t limit = 50;
  std::string list;   // cursor scope
  std::string owner;  // the caller
};

std::optional<sdk::Problem> read_query(const sdk::Request& request, const sdk::CursorCodec& cursors,
                                       Listing& out) {
  if (const auto domain = request.query("domain_id")) {
    out.domain_id = sdk::Uuid::parse(*domain);
    if (!out.domain_id || out.domain_id->is_zero()) {
      return sdk::bad_request("invalid_domain_id", "\"domain_id\" must be a non-zero UUID.");
    }
  }
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  const Actor caller = actor_of(request);
  out.limit = *limit;
  out.list = "nodes/" + (out.domain_id ? out.domain_id->text() : "");
  out.owner = caller.type + ":" + caller.id.text();
  auto after = page_start(request, cursors, {out.list, out.owner});
  if (!after.ok()) {
    return sdk::paging_problem(after.error());
  }
  out.after = *after;
  return std::nullopt;
}

Json summary(const NodeListing& node) {
  return {{"id", node.id.text()},
          {"name", node.name},
          {"domain_id", node.domain_id.text()},
          {"kind", node.kind},
          {"created_at", sdk::rfc3339(node.created_at)}};
}

sdk::Answer list_page(const Actor& caller, const Listing& listing, const NodeStore& nodes,
                      const sdk::CursorCodec& cursors, const sdk::Authz& authz) {
  auto page = nodes.page(listing.domain_id, listing.after, listing.limit);
  if (!page.ok()) {
    return problem_of(page.error());
  }
  std::vector<std::string> ids;
  for (const NodeListing& node : *page) {
    ids.push_back(node.id.text());
  }
  auto allowed = authz.filter(caller.reference(), "read", "node", ids);
  if (!allowed.ok()) {
    return sdk::authz_unavailable();
  }
  Json items = Json::array();
  for (std::size_t i = 0; i < page->size(); ++i) {
    if ((*allowed)[i]) {
      items.push_back(summary((*page)[i]));
    }
  }
  Json body{{"items", std::move(items)}};
  if (static_cast<int64_t>(page->size()) == listing.limit) {
    body["next_cursor"] = cursors.encode({listing.list, listing.owner}, page->back().id.bytes());
  }
  return sdk::Response::json(200, body.dump());
}

// One row for the whole list: in the Domain's chain, or in the platform's when it spans Domains.
sdk::AuditEntry list_entry(const sdk::Request& request, const Listing& listing) {
  sdk::AuditEntry entry =
      sdk::AuditEntry::of(request, "node.list", listing.domain_id ? "domain" : "platform",
                          listing.domain_id ? listing.domain_id->text() : "plexsphere");
  return listing.domain_id ? entry.in_domain(*listing.domain_id) : entry.in_platform();
}

}  // namespace

sdk::Status add_node_routes(const sdk::Router& router, const NodeStore& nodes,
                            const sdk::CursorCodec& cursors, const sdk::Authz& authz,
                            const sdk::Audit& audit) {
  sdk::Route route{"GET", "/v1/nodes"};
  route.flags = PX_ROUTE_CHECKS_SELF;  // each row is checked by itself
  return router.add_async(route, [&nodes, &cursors, authz, audit](const sdk::Request& request,
                                                                  sdk::Responder responder) {
    Listing listing;
    if (const auto refused = read_query(request, cursors, listing)) {
      responder.send(*refused);
      return;
    }
    auto answer =
        std::make_shared<sdk::Answer>(list_page(actor_of(request), listing, nodes, cursors, authz));
    // Owned by the completion alone; shared because std::function must be copyable.
    auto kept = std::make_shared<sdk::Responder>(std::move(responder));
    audit.record(list_entry(request, listing), [kept, answer](const sdk::Status& stored) {
      kept->send(stored.ok() ? *answer
                             : sdk::Answer(sdk::unavailable(
                                   "audit_unavailable",
                                   "The audit log cannot take the decision at the moment.")));
    });
  });
}

}  // namespace plexsphere::identity
