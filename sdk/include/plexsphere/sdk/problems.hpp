// The problem answers that every context gives alike: outages of the database, of authorisation and
// of the signer, refused lists, and denials that a handler decides itself. Pure functions, any
// thread. Details are fixed texts: the cause of an outage is for the log, not for the caller.
#pragma once

#include <string>
#include <string_view>

#include "plexsphere/sdk/ports/authz.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

inline Problem bad_request(std::string code, std::string detail) {
  return {400, std::move(code), std::move(detail), {}, {}};
}
inline Problem not_found(std::string code, std::string detail) {
  return {404, std::move(code), std::move(detail), {}, {}};
}
inline Problem conflict(std::string code, std::string detail) {
  return {409, std::move(code), std::move(detail), {}, {}};
}

// 503 with Retry-After: 1.
inline Problem unavailable(std::string code, std::string detail) {
  return {503, std::move(code), std::move(detail), {}, {{"Retry-After", "1"}}};
}
inline Problem internal_problem() {
  return {500, "internal", "The request could not be completed.", {}, {}};
}
inline Problem authz_unavailable() {
  return unavailable("authz_unavailable",
                     "Authorisation cannot be decided at the moment; try again.");
}
inline Problem audit_unavailable() {
  return unavailable("audit_unavailable",
                     "The audit log is not available at the moment; try again.");
}
inline Problem signing_unavailable() {
  return unavailable("signing_unavailable",
                     "The signer cannot be reached at the moment; try again.");
}

// What is left of a failure of px.store once the context has taken the refusals it knows (a
// constraint's name, PX001) out of it. An outage or a lost race is 503 `datastore_unavailable`; an
// unknown outcome of a commit says so; an audit log that refuses its row is 503
// `audit_unavailable`; anything else is our fault, 500 `internal`.
inline Problem store_problem(const Error& error) {
  switch (error.code) {
    case Code::unknown:
      return unavailable("datastore_unavailable",
                         "The connection to the datastore broke while the change was being "
                         "committed: its outcome is unknown. Look before trying again.");
    case Code::unavailable:
      if (error.reason == "audit_unavailable") {
        return audit_unavailable();
      }
      [[fallthrough]];
    case Code::resource_exhausted:
    case Code::deadline_exceeded:
    case Code::aborted:
    case Code::cancelled:
      return unavailable("datastore_unavailable",
                         "The datastore cannot be reached at the moment; try again.");
    default:
      return internal_problem();
  }
}

// The refusals of parse_limit and CursorCodec::decode.
inline Problem paging_problem(const Error& error) {
  return {error.code == Code::permission_denied ? 403 : 400, error.reason, error.detail, {}, {}};
}

// The 403 of the contract's PermissionDenied, for routes that check for themselves. The host adds
// correlation_id.
inline Problem permission_denied(px_reason reason) {
  return {403,
          "permission_denied",
          "The caller may not do this.",
          "{\"reason\":\"" + std::string(reason_text(reason)) + "\",\"relation_path\":[]}",
          {}};
}

}  // namespace plexsphere::sdk::inline v1
