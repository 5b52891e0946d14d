// One request on its way through the pipeline. Internal to host/http.
//
// Ownership: shared by whoever still has to do something for it: the worker that runs a step, a
// port that owes a callback, the handler that owes an answer. Request and responder live until the
// handler completes, even past the deadline.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "host/http/engine.hpp"
#include "host/http/problem.hpp"
#include "host/http/pipeline/route_table.hpp"
#include "host/http/pipeline/router.hpp"

namespace plexsphere::host::http::detail {

class Exchange;

// Requests without an answer, so that their deadline can be watched.
class InFlight {
 public:
  void add(Exchange* exchange);
  void remove(Exchange* exchange);
  std::size_t size() const;
  // Those whose deadline lies before `now`.
  std::vector<std::shared_ptr<Exchange>> expired(std::chrono::steady_clock::time_point now);

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_set<Exchange*> members;
  };
  Shard& shard(const Exchange* exchange);

  std::array<Shard, 16> shards_;
};

// What an exchange uses of its router. Outlives every exchange.
struct Pipeline {
  telemetry::Logger& log;
  RouterOptions options;
  GatePorts ports;
  InFlight in_flight;
  prometheus::Counter& late;       // handlers that completed after the deadline
  prometheus::Counter& duplicate;  // second completions
  prometheus::Counter& expired;
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  // `unmatched` stands in for the route of a path that has none.
  Exchange(Pipeline& pipeline, Request request, std::shared_ptr<Reply> reply, Match match,
           const Route& unmatched);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void begin();   // on a worker
  void expire();  // the deadline has passed
  std::chrono::steady_clock::time_point deadline() const { return deadline_; }

 private:
  using Step = void (Exchange::*)();

  // Preparation; each false has answered.
  bool accept_request();
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

  // Runs `call`, which hands a context to a port, and goes on with `next` when the port has called
  // back: right here if it already has, else on a worker.
  template <typename Call>
  void await(Step next, Call call);
  static std::shared_ptr<Exchange> from_context(void* context);
  static void arrived(const std::shared_ptr<Exchange>& self);
  static void on_authn(void* context, px_status status, px_str reason, const px_principal* who);
  static void on_authz(void* context, px_status status, const px_decision* decision);
  static void on_audit(void* context, px_status status, px_str reason);
  static void on_respond(void* self, const px_response* response);
  static void on_fail(void* self, const px_problem* problem);

  std::shared_ptr<Exchange> handler_done(const char* what);
  void deny();
  void not_found();
  void fail(int status, std::string code, std::string detail, Headers headers = {});
  void answer(Response response, bool now = false);
  void report(const Response& response) const;
  void fill_wire_request();
  const std::string* parameter(const std::string& name) const;
  bool skips_permission() const;

  Pipeline& pipeline_;
  const Request request_;
  const std::shared_ptr<Reply> reply_;
  const Match match_;
  const Route& route_;
  const std::chrono::steady_clock::time_point began_;
  const std::chrono::steady_clock::time_point deadline_;
  const std::string correlation_id_;
  const std::string remote_ip_;
  std::atomic<bool> answered_{false};

  // The step under way and what its port answered.
  enum Phase { kIdle, kCalling, kWaiting, kDone, kAbandoned };
  std::atomic<int> phase_{kIdle};
  Step next_ = nullptr;
  px_status step_status_ = PX_OK;
  std::string step_reason_;

  std::string bearer_;
  px_principal principal_;
  std::string subject_id_;
  std::string object_id_;
  px_reason decision_ = PX_REASON_UNKNOWN;
  std::vector<std::string> relation_path_;

  std::vector<std::pair<std::string, std::string>> query_;
  std::vector<px_pair> wire_parameters_;
  std::vector<px_pair> wire_query_;
  std::vector<px_pair> wire_headers_;
  px_request wire_request_;
  px_responder wire_responder_;
  std::atomic<bool> handler_completed_{false};
  std::shared_ptr<Exchange> handler_reference_;  // held by the handler until it completes
};

}  // namespace plexsphere::host::http::detail
