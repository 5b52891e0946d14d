#include "http/routes.hpp"

#include <chrono>
#include <string>

#include "app/digest.hpp"
#include "http/parse.hpp"
#include "http/render.hpp"
#include "plexsphere/sdk/encoding.hpp"
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
  for (const Pair& pair : {Pair{"GET", "/audit/entries", "auditor", 403, &Routes::list},
                           Pair{"GET", "/audit/entries/{seq}", "auditor", 404, &Routes::get},
                           Pair{"POST", "/audit/verify", "auditor", 403, &Routes::verify},
                           Pair{"POST", "/audit/erase-identity", "manage", 403, &Routes::erase}}) {
    if (auto added = add_pair(router, pair); !added.ok()) {
      return added;
    }
  }
  return {};
}

// The same operation on a Domain's chain and on the platform's.
Status Routes::add_pair(const sdk::Router& router, const Pair& pair) {
  const std::string of_domain = "/v1/domains/{domain_id}" + std::string(pair.rest);
  const std::string of_platform = "/v1/platform" + std::string(pair.rest);
  const Operation operation = pair.operation;
  sdk::Route route{.method = pair.method,
                   .path = of_domain,
                   .permission = pair.permission,
                   .object_type = "domain",
                   .object_parameter = "domain_id"};
  route.denied_as = pair.denied_as;
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
  auto filter = parse_filter(request);
  if (!filter.ok()) {
    return sdk::bad_request(filter.error().reason, filter.error().detail);
  }
  if (auto named = name_object(chain, filter.value()); !named.ok()) {
    return failed(named.error());
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

// Persons stand in a chain by pseudonym as objects too; who asks for one names their id.
Status Routes::name_object(const Uuid& chain, EntryFilter& filter) const {
  if (!filter.object_id || (filter.object_type && !is_person(*filter.object_type))) {
    return {};
  }
  const auto name = peppers_.of(chain, person_bytes(*filter.object_id));
  if (!name.ok()) {
    return name.error();
  }
  filter.object_pseudonym = sdk::hex_encode(name.value());
  return {};
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
  const auto verdict =
      verifier_.verify(chain, segment.value(), [&] { return time_left(request).count() > 0; });
  if (!verdict.ok() && verdict.error().code == Code::out_of_range) {
    return sdk::bad_request("invalid_body", verdict.error().detail);
  }
  return verdict.ok() ? Answer(Response::json(200, render_verdict(*verdict)))
                      : failed(verdict.error());
}

Answer Routes::erase(const Request& request, const Uuid& chain) const {
  const auto identity = parse_erasure(request.body());
  if (!identity.ok()) {
    return sdk::bad_request(identity.error().reason, identity.error().detail);
  }
  const auto outcome = erasure_.erase(chain, identity.value(), request, time_left(request));
  return outcome.ok() ? Answer(Response::json(200, render_erasure(outcome.value())))
                      : failed(outcome.error());
}

// Until the host gives the request up, less what answering takes.
std::chrono::milliseconds Routes::time_left(const Request& request) const {
  const auto deadline = std::chrono::nanoseconds(request.wire()->deadline_steady_ns) - kSpare;
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady());
}

Problem Routes::failed(const Error& error) const {
  log_.error("audit.read_failed", {{"reason", error.reason}, {"detail", error.detail}});
  return sdk::store_problem(error);
}

}  // namespace plexsphere::audit
