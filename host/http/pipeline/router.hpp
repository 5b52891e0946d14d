// The host's side of every request, from the engine to the handler:
//
//   route → rate, body ceiling → authentication → Node and path ids → permission → decision row →
//   handler
//
// Each step may complete later and from another thread; none of them holds a worker while it waits.
// A step whose port is missing or does not answer ends the request with 503; nothing fails open.
//
// Thread safety: add and set_ports before the engine listens; the rest from any thread.
// Ownership: owns its routes. Logger and metrics must outlive it; so must every plugin it calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/base/result.hpp"
#include "host/http/engine.hpp"
#include "host/http/pipeline/client_address.hpp"
#include "host/http/pipeline/route.hpp"
#include "plexsphere/abi/ports/audit.h"
#include "plexsphere/abi/ports/authn.h"
#include "plexsphere/abi/ports/authz.h"

namespace plexsphere::host {
namespace telemetry {
class Logger;
class Metrics;
}  // namespace telemetry

namespace http {

// The ports that guard the handlers. Null: that step answers 503.
struct GatePorts {
  const px_authn* authn = nullptr;  // authn_unavailable
  const px_authz* authz = nullptr;  // authz_unavailable
  const px_audit* audit = nullptr;  // audit_unavailable
};

struct RouterOptions {
  // From the whole request having been read, before it waits for a worker; past it the host answers
  // 503 request_deadline_exceeded whatever the handler does.
  std::chrono::milliseconds deadline{30'000};
  std::vector<IpPrefix> trusted_proxies;
  // Calls a second and at once that one address (an IPv6 /64) may make to routes without
  // authentication, the host's own excepted; beyond it 429 rate_limited. A rate of 0: no limit.
  std::uint32_t unauthenticated_rate = 50;
  std::uint32_t unauthenticated_burst = 500;
};

class Router final : public RequestSink {
 public:
  Router(telemetry::Logger& log, telemetry::Metrics& metrics, RouterOptions options);
  ~Router() override;

  // [init] Errors as RouteTable::add; also a body or decoded limit above kLargestBodyLimit, a node
  // or object parameter that the template does not have, or a denied_as that is neither 403 nor
  // 404.
  Status add(Route route);
  // [init]
  void set_ports(const GatePorts& ports);

  Plan plan(std::string_view method, std::string_view target) noexcept override;
  void handle(Request request, std::shared_ptr<Reply> reply) noexcept override;
  Response refused(const Refusal& refusal, std::string_view peer) noexcept override;

  // Requests that have not been answered yet.
  std::size_t unanswered() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
}  // namespace plexsphere::host
