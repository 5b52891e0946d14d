#include "http/intake_routes.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "http/intake_json.hpp"
#include "http/intake_requests.hpp"
#include "http/manifest_problem.hpp"
#include "plexsphere/sdk/problems.hpp"

namespace plexsphere::mesh {
namespace {

constexpr std::string_view kEndpointAction = "node_endpoint.report";
constexpr std::string_view kCapabilitiesAction = "node_capabilities.report";

sdk::Route node_write(std::string_view method, std::string_view path, std::string_view too_large) {
  sdk::Route route;
  route.method = method;
  route.path = path;
  route.auth = PX_AUTH_NODE;
  route.node_parameter = "id";
  route.body_limit = kRawBodyLimit;
  route.too_large_code = too_large;
  return route;
}

sdk::Problem too_large(std::string_view code, std::size_t limit) {
  return {413,
          std::string(code),
          "The body is larger than the " + std::to_string(limit) + " bytes this operation takes.",
          {},
          {}};
}

Reporter reporter_of(const sdk::Request& request) {
  const auto node = request.principal();
  return {node.id, node.generation};
}

sdk::AuditEntry entry_of(const sdk::Request& request, std::string_view action) {
  const auto node = request.principal();
  auto entry = sdk::AuditEntry::of(request, std::string(action), "node", node.id.text());
  return entry.in_domain(node.domain_id);
}

struct Known {
  std::string_view reason;
  int status;
};

// Refusals of NodeIntake that are the caller's.
constexpr std::array kKnown{
    Known{"nsk_revoked", 401},           Known{"endpoint_peer_not_found", 404},
    Known{"endpoint_peer_gone", 410},    Known{"capabilities_node_not_found", 404},
    Known{"node_not_found", 404},        Known{"report_not_found", 404},
    Known{"report_quota_exceeded", 409},
};

}  // namespace

sdk::Status IntakeRoutes::add(const sdk::Router& router) {
  auto done =
      router.add_async(node_write("PUT", "/v1/nodes/{id}/endpoint", "endpoint_body_too_large"),
                       [this](const sdk::Request& request, sdk::Responder responder) {
                         put_endpoint(request, std::move(responder));
                       });
  if (done.ok()) {
    done =
        router.add(node_write("PUT", "/v1/nodes/{id}/capabilities", "capabilities_body_too_large"),
                   [this](const auto& request) { return put_capabilities(request); });
  }
  constexpr std::string_view kReport = "/v1/nodes/{id}/state/reports/{key}";
  if (done.ok()) {
    done = router.add(node_write("PUT", kReport, "payload_too_large"),
                      [this](const auto& request) { return put_report(request); });
  }
  if (done.ok()) {
    done = router.add(node_write("DELETE", kReport, {}),
                      [this](const auto& request) { return delete_report(request); });
  }
  return done;
}

void IntakeRoutes::put_endpoint(const sdk::Request& request, sdk::Responder responder) const {
  auto outcome = take_endpoint(request);
  if (auto* response = std::get_if<sdk::Response>(&outcome)) {
    responder.send(std::move(*response));
    return;
  }
  auto& refusal = std::get<Refusal>(outcome);
  if (refusal.rule.empty()) {
    responder.send(std::move(refusal.problem));
    return;
  }
  auto entry = entry_of(request, kEndpointAction);
  entry.reason = refusal.reason;
  entry.relation_path = {std::string(refusal.rule)};
  if (!refusal.member.empty()) {
    entry.caveat_names = {{std::string(refusal.rule), std::string(refusal.member)}};
  }
  // Owned by the completion alone; shared because std::function must be copyable.
  auto waiting = std::make_shared<sdk::Responder>(std::move(responder));
  audit_.record(entry, [waiting, problem = std::move(refusal.problem)](const sdk::Status& stored) {
    waiting->send(stored.ok() ? problem : sdk::audit_unavailable());
  });
}

std::variant<sdk::Response, IntakeRoutes::Refusal> IntakeRoutes::take_endpoint(
    const sdk::Request& request) const {
  if (request.body().size() > kEndpointBodyLimit) {
    return Refusal{too_large("endpoint_body_too_large", kEndpointBodyLimit), "body_too_large"};
  }
  const auto report = read_endpoint(request.body());
  if (!report.ok()) {
    return Refusal{sdk::bad_request(report.error().reason, report.error().detail), "malformed"};
  }
  const auto ttl = intake_.endpoint_ttl();
  if (const auto fault = judge_freshness(report->reported_at, clock_.now(), ttl)) {
    return Refusal{
        sdk::bad_request("endpoint_clock_skew",
                         "reported_at differs from the server's time by more than 60 seconds; set "
                         "the Node's clock, and report what has just been seen."),
        *fault == FreshnessFault::older_than_ttl ? "older_than_ttl" : "clock_skew", "reported_at"};
  }
  const auto endpoint = canonical_endpoint(report->endpoint);
  if (!endpoint) {
    return Refusal{
        sdk::bad_request("endpoint_unparseable",
                         "endpoint must be address:port, IPv6 in brackets, with a port from 1 to "
                         "65535 and an address that other Nodes can reach: not unspecified, "
                         "loopback, link-local, multicast or reserved."),
        "unparseable", "endpoint"};
  }
  const auto accepted = intake_.accept_endpoint(reporter_of(request), *endpoint, *report,
                                                entry_of(request, kEndpointAction));
  if (accepted.ok()) {
    return sdk::Response::json(200, endpoint_json(*accepted));
  }
  const auto& reason = accepted.error().reason;
  Refusal refusal{problem_of(accepted.error(), request)};
  if (reason == "endpoint_peer_not_found" || reason == "endpoint_peer_gone") {
    refusal.rule = reason == "endpoint_peer_gone" ? "peer_gone" : "peer_not_found";
    refusal.reason = PX_REASON_OUT_OF_SCOPE;
  }
  return refusal;
}

sdk::Answer IntakeRoutes::put_capabilities(const sdk::Request& request) const {
  if (request.body().size() > kCapabilitiesBodyLimit) {
    return too_large("capabilities_body_too_large", kCapabilitiesBodyLimit);
  }
  const auto manifest = read_manifest(request.body());
  if (!manifest.ok()) {
    return sdk::bad_request(manifest.error().reason, manifest.error().detail);
  }
  if (const auto fault = judge_manifest(*manifest)) {
    return manifest_problem(*fault);
  }
  const auto accepted = intake_.accept_manifest(reporter_of(request), *manifest,
                                                entry_of(request, kCapabilitiesAction));
  return accepted.ok() ? sdk::Answer(sdk::Response::json(200, manifest_json(*accepted)))
                       : problem_of(accepted.error(), request);
}

sdk::Answer IntakeRoutes::put_report(const sdk::Request& request) const {
  if (request.body().size() > kReportBodyLimit) {
    return too_large("payload_too_large", kReportBodyLimit);
  }
  const auto report = read_report(request.parameter("key"), request.body());
  if (!report.ok()) {
    return sdk::bad_request(report.error().reason, report.error().detail);
  }
  const auto accepted = intake_.accept_report(reporter_of(request), *report);
  return accepted.ok() ? sdk::Answer(sdk::Response::json(200, report_json(*accepted, report->key)))
                       : problem_of(accepted.error(), request);
}

// A key outside the grammar has no report: the operation knows no 400.
sdk::Answer IntakeRoutes::delete_report(const sdk::Request& request) const {
  const auto removed = intake_.remove_report(reporter_of(request), request.parameter("key"));
  return removed.ok() ? sdk::Answer(sdk::Response::empty(204))
                      : problem_of(removed.error(), request);
}

sdk::Problem IntakeRoutes::problem_of(const sdk::Error& error, const sdk::Request& request) const {
  const auto known = std::ranges::find(kKnown, error.reason, &Known::reason);
  if (known != kKnown.end()) {
    return {known->status, error.reason, error.detail, {}, {}};
  }
  log_.warn("node_report_failed", {{"path", std::string(request.path())},
                                   {"reason", error.reason},
                                   {"detail", error.detail},
                                   {"correlation_id", std::string(request.correlation_id())}});
  return sdk::store_problem(error);
}

}  // namespace plexsphere::mesh
