#include "http/node_routes.hpp"

#include <memory>
#include <variant>

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

struct Page {
  Json body;
  bool empty = true;  // the caller sees none of its rows
};

std::variant<Page, sdk::Problem> read_page(const Actor& caller, const Listing& listing,
                                           const NodeStore& nodes, const sdk::CursorCodec& cursors,
                                           const sdk::Authz& authz) {
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
  const bool empty = items.empty();
  Json body{{"items", std::move(items)}};
  if (static_cast<int64_t>(page->size()) == listing.limit) {
    body["next_cursor"] = cursors.encode({listing.list, listing.owner}, page->back().id.bytes());
  }
  return Page{std::move(body), empty};
}

// One row for the whole list: in the Domain's chain, or in the platform's when it spans Domains.
sdk::AuditEntry list_entry(const sdk::Request& request, const Listing& listing) {
  sdk::AuditEntry entry =
      sdk::AuditEntry::of(request, "node.list", listing.domain_id ? "domain" : "platform",
                          listing.domain_id ? listing.domain_id->text() : "plexsphere");
  return listing.domain_id ? entry.in_domain(*listing.domain_id) : entry.in_platform();
}

// A list on its way to the caller; owned by whichever completion comes next.
struct Passage {
  sdk::Responder responder;
  sdk::AuditEntry entry;
  sdk::Answer answer;
};

void record_and_send(const sdk::Audit& audit, const std::shared_ptr<Passage>& passage) {
  audit.record(passage->entry, [passage](const sdk::Status& stored) {
    passage->responder.send(stored.ok() ? passage->answer : sdk::Answer(sdk::audit_unavailable()));
  });
}

// The list permission is any relation at all: who has none is told so, instead of being shown a
// page that is empty for other reasons to everybody else. Who sees a row has one.
void send_if_bound(const Actor& caller, const sdk::Authz& authz, const sdk::Audit& audit,
                   const std::shared_ptr<Passage>& passage) {
  authz.check(caller.reference(), "read", {"platform", "plexsphere"}, passage->entry.remote_ip,
              [audit, passage](const sdk::Result<sdk::Decision>& decision) {
                if (!decision.ok()) {
                  passage->responder.send(sdk::authz_unavailable());
                  return;
                }
                if (decision->reason == PX_REASON_OUT_OF_SCOPE) {
                  passage->entry.reason = decision->reason;
                  passage->answer = sdk::permission_denied(decision->reason);
                }
                record_and_send(audit, passage);
              });
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
    const Actor caller = actor_of(request);
    auto read = read_page(caller, listing, nodes, cursors, authz);
    if (const auto* failed = std::get_if<sdk::Problem>(&read)) {
      responder.send(*failed);
      return;
    }
    const Page& page = std::get<Page>(read);
    auto passage =
        std::make_shared<Passage>(Passage{std::move(responder), list_entry(request, listing),
                                          sdk::Response::json(200, page.body.dump())});
    if (page.empty) {
      send_if_bound(caller, authz, audit, passage);
    } else {
      record_and_send(audit, passage);
    }
  });
}

}  // namespace plexsphere::identity
