// The routes on which a Node tells of itself: endpoint, state reports, capabilities.
//
// Their bodies have ceilings that count only once the key and the path agree, so the host lets more
// in than a handler takes: what is above kRawBodyLimit is refused unread, before anybody asks for
// the key.
// Thread safety: any thread; handlers block on the database.
#pragma once

#include "app/node_intake.hpp"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/services.hpp"

namespace plexsphere::mesh {

inline constexpr std::uint64_t kRawBodyLimit = 64 * 1024;  // bytes

class IntakeRoutes {
 public:
  // Keeps a reference: `intake` outlives it.
  IntakeRoutes(const NodeIntake& intake, sdk::Audit audit, sdk::Clock clock, sdk::Log log)
      : intake_(intake), audit_(audit), clock_(clock), log_(log) {}
  IntakeRoutes(const IntakeRoutes&) = delete;
  IntakeRoutes& operator=(const IntakeRoutes&) = delete;

  // [init] The handlers keep this object.
  sdk::Status add(const sdk::Router& router);

 private:
  // Why an endpoint was refused: for the caller, and for the audit log. No rule, no row.
  struct Refusal {
    sdk::Problem problem;
    std::string_view rule = {};
    std::string_view member = {};  // of the body, that broke it
    px_reason reason = PX_REASON_CAVEAT_VIOLATION;
  };

  // A refusal is on record before it is answered.
  void put_endpoint(const sdk::Request& request, sdk::Responder responder) const;
  std::variant<sdk::Response, Refusal> take_endpoint(const sdk::Request& request) const;
  sdk::Answer put_report(const sdk::Request& request) const;
  sdk::Answer delete_report(const sdk::Request& request) const;
  sdk::Answer put_capabilities(const sdk::Request& request) const;
  sdk::Problem problem_of(const sdk::Error& error, const sdk::Request& request) const;

  const NodeIntake& intake_;
  sdk::Audit audit_;
  sdk::Clock clock_;
  sdk::Log log_;
};

}  // namespace plexsphere::mesh
