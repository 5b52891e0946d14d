// One request on its way through the pipeline. Internal to host/http.
//
//   exchange.cpp  begin, and the answer     gate.cpp     who, about what, may they, on record
//   handler.cpp   body, handler, completion
//
// Ownership: shared by whoever still has to do something for it: the worker that runs a step, a
// port that owes a callback, the handler that owes an answer. Request and responder live until the
// handler completes, even past the deadline.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/engine.hpp"
#include "host/http/pipeline/in_flight.hpp"
#include "host/http/pipeline/rate_limit.hpp"
#include "host/http/pipeline/route_table.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/http/problem.hpp"

namespace plexsphere::host::http::detail {

// What an exchange uses of its router. Outlives every exchange.
struct Pipeline {
  telemetry::Logger& log;
  RouterOptions options;
  GatePorts ports;
  RouteTable table;
  Route unmatched;  // stands in for the route of a path that has none
  RateLimiter limiter;
  InFlight in_flight;
  prometheus::Counter& late;       // handlers that completed after the deadline
  prometheus::Counter& duplicate;  // second completions
  prometheus::Counter& expired;
  prometheus::Counter& rate_limited;
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Pipeline& pipeline, Request request, std::shared_ptr<Reply> reply);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void begin();   // on a worker
  void expire();  // the deadline has passed
  std::chrono::steady_clock::time_point deadline() const { return deadline_; }

  // The exchange behind a responder, or null if it is none of ours.
  static Exchange* behind(const px_responder& responder);
  Status start_stream(Response head, Reply::Taker taker);

 private:
  friend class InFlight;
  using Step = void (Exchange::*)();

  // Preparation; each false has answered.
  bool accept_request();
  bool accept_content();
  bool within_rate();
  bool parse_query();
  bool take_bearer();

  void authenticate();
  void authenticated();
  bool check_ids();
  void authorize();
  void authorized();
  void record_decision();
  void decision_recorded();
  void call_handler();
  bool decode_body();

  // Runs `call`, which hands a context to a port, and goes on with `next` when the port has called
  // back: right here if it already has, else on a worker.
  template <typename Call>
  void await(Step next, Call call);
  void go_on();
  static std::shared_ptr<Exchange> from_context(void* context);
  static void arrived(const std::shared_ptr<Exchange>& self);
  static void on_authn(void* context, px_status status, px_str reason, const px_principal* who);
  static void on_authz(void* context, px_status status, const px_decision* decision);
  static void on_audit(void* context, px_status status, px_str reason);
  static void on_respond(void* self, const px_response* response);
  static void on_fail(void* self, const px_problem* problem);

  std::shared_ptr<Exchange> handler_done(const char* what);
  void report_defect(std::string_view event, std::string_view detail) const;
  void deny();
  void not_found();
  void fail(int status, std::string code, std::string detail, Headers headers = {});
  void fail_internally();
  bool claim_answer();
  void answer(Response response);
  void finish(Response& response);
  void report(const Response& response) const;
  void fill_wire_request();
  std::string_view parameter(std::string_view name) const;
  std::size_t decoded_limit() const;
  bool skips_permission() const;

  Pipeline& pipeline_;
  const Request request_;
  const std::shared_ptr<Reply> reply_;  // shared with the engine, which has the connection
  const Match match_;                   // views request_
  const Route& route_;
  const std::chrono::steady_clock::time_point began_;  // before it waited for its worker
  const std::chrono::steady_clock::time_point deadline_;
  const std::string correlation_id_;
  const std::string remote_ip_;
  std::atomic<bool> answered_{false};
  InFlightLink link_;

  // The step under way and what its port answered.
  enum Phase { kIdle, kCalling, kWaiting, kDone, kAbandoned };
  std::atomic<int> phase_{kIdle};
  Step next_ = nullptr;
  px_status step_status_ = PX_OK;
  std::string step_reason_;

  bool gzipped_ = false;
  std::string inflated_;
  std::string_view bearer_;
  px_principal principal_;
  std::string subject_id_;
  std::string object_id_;
  px_reason decision_ = PX_REASON_UNKNOWN;
  std::vector<std::string> relation_path_;

  DecodeBuffer decoded_query_;
  std::vector<px_pair> wire_query_;
  std::vector<px_pair> wire_headers_;
  px_request wire_request_;
  px_responder wire_responder_;
  std::atomic<bool> handler_completed_{false};
  std::shared_ptr<Exchange> handler_reference_;  // held by the handler until it completes
};

}  // namespace plexsphere::host::http::detail
