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

std::string list_name(const Uuid& chain) {
  return "audit/" + chain.text();
}

}  // namespace

Status Routes::add_to(const sdk::Router& router) {
  using Handle = Answer (Routes::*)(const Request&, const Uuid&) const;
  const auto add = [&](const ChainRouter::Operation& operation, Handle handle) {
    return chains_.add(router, operation,
                       [this, handle](const Request& request, const Uuid& chain) {
                         return (this->*handle)(request, chain);
                       });
  };
  for (const auto& [operation, handle] :
       {std::pair(ChainRouter::Operation{"GET", "/audit/entries", "auditor", 403}, &Routes::list),
        {{"GET", "/audit/entries/{seq}", "auditor", 404}, &Routes::get},
        {{"POST", "/audit/verify", "auditor", 403}, &Routes::verify},
        {{"POST", "/audit/erase-identity", "manage", 403}, &Routes::erase}}) {
    if (auto added = add(operation, handle); !added.ok()) {
      return added;
    }
  }
  return {};
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
    return chains_.failed(named.error());
  }
  const auto entries = store_.list(chain, filter.value(), after, *limit);
  if (!entries.ok()) {
    return chains_.failed(entries.error());
  }
  const bool full = static_cast<int64_t>(entries->size()) == *limit;
  const std::string next =
      full ? cursors_.encode({name}, std::to_string(entries->back().seq)) : std::string{};
  auto body = render_list(*entries, next);
  return body.ok() ? Answer(Response::json(200, std::move(*body))) : chains_.failed(body.error());
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
    return chains_.failed(entry.error());
  }
  if (!*entry) {
    return ChainRouter::no_entry();
  }
  auto body = render_proof(**entry);
  return body.ok() ? Answer(Response::json(200, std::move(*body))) : chains_.failed(body.error());
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
                      : chains_.failed(verdict.error());
}

Answer Routes::erase(const Request& request, const Uuid& chain) const {
  const auto identity = parse_erasure(request.body());
  if (!identity.ok()) {
    return sdk::bad_request(identity.error().reason, identity.error().detail);
  }
  const auto outcome = erasure_.erase(chain, identity.value(), request, time_left(request));
  return outcome.ok() ? Answer(Response::json(200, render_erasure(outcome.value())))
                      : chains_.failed(outcome.error());
}

// Until the host gives the request up, less what answering takes.
std::chrono::milliseconds Routes::time_left(const Request& request) const {
  const auto deadline = std::chrono::nanoseconds(request.wire()->deadline_steady_ns) - kSpare;
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady());
}

}  // namespace plexsphere::audit
