#include "http/routes.hpp"

#include <chrono>
#include <string>

#include "http/parse.hpp"
#include "http/render.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Answer;
using sdk::Code;
using sdk::Error;
using sdk::Problem;
using sdk::Request;
using sdk::Response;
using sdk::Result;
using sdk::Status;
using sdk::Uuid;

// A verification leaves the host this much of the request's time to answer.
constexpr std::chrono::milliseconds kSpare{500};

// One text for every 404 of an entry, the host's own for a denied caller included: nothing in the
// answer may tell a foreign caller how long the chain is.
Problem no_entry() {
  return sdk::not_found("not_found", "There is no such object.");
}

std::string list_name(const Uuid& chain) {
  return "audit/" + chain.text();
}

}  // namespace

Status Routes::add_to(const sdk::Router& router) {
  if (auto added = add_pair(router, "GET", "/audit/entries", 403, &Routes::list); !added.ok()) {
    return added;
  }
  if (auto added = add_pair(router, "GET", "/audit/entries/{seq}", 404, &Routes::get);
      !added.ok()) {
    return added;
  }
  return add_pair(router, "POST", "/audit/verify", 403, &Routes::verify);
}

// The same operation on a Domain's chain and on the platform's.
Status Routes::add_pair(const sdk::Router& router, std::string_view method, std::string_view rest,
                        int denied_as, Operation operation) {
  const std::string of_domain = "/v1/domains/{domain_id}" + std::string(rest);
  const std::string of_platform = "/v1/platform" + std::string(rest);
  sdk::Route route{.method = method,
                   .path = of_domain,
                   .permission = "auditor",
                   .object_type = "domain",
                   .object_parameter = "domain_id"};
  route.denied_as = denied_as;
  route.not_found_code = "not_found";
  route.bad_id_code = "invalid_domain_id";
  auto added = router.add(
      route, [this, operation](const Request& request) { return in_domain(request, operation); });
  if (!added.ok()) {
    return added;
  }
  route.path = of_platform;
  route.object_type = "platform";
  route.object_parameter = {};
  return router.add(route, [this, operation](const Request& request) {
    return (this->*operation)(request, platform_anchor());
  });
}

Answer Routes::in_domain(const Request& request, Operation operation) const {
  const Uuid domain = request.uuid("domain_id");
  const auto exists = domain_exists(domain);
  if (!exists.ok()) {
    return failed(exists.error());
  }
  if (!*exists) {
    return no_entry();
  }
  return (this->*operation)(request, domain);
}

// Who knows is the context that owns Domains: its resolver answers with the Domain itself.
Result<bool> Routes::domain_exists(const Uuid& domain) const {
  if (domain == platform_anchor()) {
    return false;
  }
  const auto owners = resolvers_.ask("domain", domain.text());
  if (!owners.ok()) {
    return owners.error();
  }
  return !owners->empty();
}

Answer Routes::list(const Request& request, const Uuid& chain) const {
  const auto limit = sdk::parse_limit(request.query("limit"));
  if (!limit.ok()) {
    return sdk::paging_problem(limit.error());
  }
  const std::string name = list_name(chain);
  int64_t after = 0;
  if (const auto cursor = request.query("cursor")) {
    const auto payload = cursors_.decode({name}, *cursor);
    const auto seq = payload.ok() ? parse_seq(payload.value()) : std::nullopt;
    if (!seq) {
      return sdk::bad_request("invalid_cursor",
                              "The cursor is not one that this chain's list has issued; start "
                              "again without it.");
    }
    after = *seq;
  }
  const auto filter = parse_filter(request);
  if (!filter.ok()) {
    return sdk::bad_request(filter.error().reason, filter.error().detail);
  }
  const auto entries = store_.list(chain, filter.value(), after, *limit);
  if (!entries.ok()) {
    return failed(entries.error());
  }
  const bool full = static_cast<int64_t>(entries->size()) == *limit;
  const std::string next =
      full ? cursors_.encode({name}, std::to_string(entries->back().seq)) : std::string{};
  auto body = render_list(*entries, next);
  return body.ok() ? Answer(Response::json(200, std::move(*body))) : failed(body.error());
}

Answer Routes::get(const Request& request, const Uuid& chain) const {
  const auto seq = parse_seq(request.parameter("seq"));
  if (!seq) {
    return sdk::bad_request("invalid_seq", "\"seq\" must be a whole number from 1.");
  }
  const auto entry = store_.find(chain, *seq);
  if (!entry.ok()) {
    return failed(entry.error());
  }
  if (!*entry) {
    return no_entry();
  }
  auto body = render_proof(**entry);
  return body.ok() ? Answer(Response::json(200, std::move(*body))) : failed(body.error());
}

Answer Routes::verify(const Request& request, const Uuid& chain) const {
  const auto segment = parse_segment(request.body());
  if (!segment.ok()) {
    return sdk::bad_request(segment.error().reason, segment.error().detail);
  }
  const auto deadline = std::chrono::nanoseconds(request.wire()->deadline_steady_ns) - kSpare;
  const auto verdict =
      verifier_.verify(chain, segment.value(), [&] { return clock_.steady() < deadline; });
  if (!verdict.ok() && verdict.error().code == Code::out_of_range) {
    return sdk::bad_request("invalid_body", verdict.error().detail);
  }
  return verdict.ok() ? Answer(Response::json(200, render_verdict(*verdict)))
                      : failed(verdict.error());
}

Problem Routes::failed(const Error& error) const {
  log_.error("audit.read_failed", {{"reason", error.reason}, {"detail", error.detail}});
  return sdk::store_problem(error);
}

}  // namespace plexsphere::audit
