// A route of the host: who may call it, how large its body may be, and who answers.
//
// Thread safety: immutable once the router serves, but for the metrics, which are safe anywhere.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "host/http/message.hpp"
#include "plexsphere/abi/router.h"

namespace plexsphere::host::http {

inline constexpr std::size_t kDefaultBodyLimit = 8 * 1024;          // bytes
inline constexpr std::size_t kLargestBodyLimit = 64 * 1024 * 1024;  // bytes a route may ask for

// What is counted for one route and method. Label values come from templates, so their number is
// bounded.
class RouteMetrics {
 public:
  RouteMetrics(prometheus::Family<prometheus::Counter>& requests,
               prometheus::Family<prometheus::Histogram>& seconds, std::string route,
               std::string method)
      : requests_(requests),
        seconds_(seconds),
        route_(std::move(route)),
        method_(std::move(method)) {}

  // Makes the duration's series, so that it is there before the first request.
  prometheus::Histogram& show();
  void observe(int status, double seconds);

 private:
  static constexpr std::size_t kStatuses = 600;

  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& seconds_;
  std::string route_;
  std::string method_;
  std::atomic<prometheus::Histogram*> histogram_{nullptr};
  std::array<std::atomic<prometheus::Counter*>, kStatuses> by_status_{};
};

struct Route {
  std::string owner;   // plugin id, or "host"
  std::string method;  // GET, POST, PUT, PATCH, DELETE
  std::string path;    // "/v1/nodes/{id}/heartbeat"
  std::uint32_t flags = 0;
  px_auth auth = PX_AUTH_NONE;
  int denied_as = 403;
  std::string node_parameter;
  std::string permission;
  std::string object_type;
  std::string object_parameter;
  std::string not_found_code = "not_found";
  std::string bad_id_code = "invalid_id";
  std::string too_large_code = "request_body_too_large";
  std::string denied_code = "permission_denied";
  std::size_t body_limit = kDefaultBodyLimit;  // on the raw body
  std::size_t decoded_limit = 0;               // after content decoding; 0: as body_limit

  // Exactly one of these answers:
  std::function<Response(const Request&)> builtin;  // the host itself
  std::string unprovisioned_code;                   // 501, before any authentication
  void (*handle)(void* ctx, const px_request* request, const px_responder* responder) = nullptr;
  void* ctx = nullptr;

  // Set by the router. HEAD is counted apart, once there is one.
  RouteMetrics* metrics = nullptr;
  RouteMetrics* head_metrics = nullptr;
};

}  // namespace plexsphere::host::http
