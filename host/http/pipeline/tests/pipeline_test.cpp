// The steps before a handler, each failing in turn, at once and later.
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

#include "host/base/wire_text.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::http {
namespace {

using namespace std::chrono_literals;  // NOLINT: test

const std::string kNode = "0198f000-0000-7000-8000-00000000000a";
const std::string kOther = "0198f000-0000-7000-8000-00000000000b";

// The engine's side of one request: runs tasks and takes the answer on the test's thread.
class Waiting final : public Reply {
 public:
  void send(Response response) override {
    const std::lock_guard lock(mutex_);
    response_ = std::move(response);
    wake_.notify_all();
  }
  void send_now(Response response) override { send(std::move(response)); }
  void run(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
    wake_.notify_all();
  }
  Response wait() {
    std::unique_lock lock(mutex_);
    for (;;) {
      REQUIRE(wake_.wait_for(lock, 20s, [this] { return response_ || task_; }));
      if (response_) {
        return *response_;
      }
      const auto task = std::exchange(task_, nullptr);
      lock.unlock();
      task();
      lock.lock();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Response> response_;
  std::function<void()> task_;
};

// Ports that answer as a test tells them, at once or from a thread of their own.
struct Ports {
  px_status authn_status = PX_OK;
  std::string authn_reason;
  px_principal principal{};
  px_status authz_status = PX_OK;
  px_reason decision = PX_REASON_GRANTED;
  px_status audit_status = PX_OK;
  std::string audit_reason;
  bool later = false;
  bool throws = false;
  std::string asked;    // "user:<id> manage domain:<id>"
  std::string audited;  // "<reason> <relation> <object>"
  std::vector<std::thread> threads;

  px_authn authn{{sizeof(px_authn), 1, this}, &Ports::authenticate};
  px_authz authz{{sizeof(px_authz), 1, this}, &Ports::check, nullptr, nullptr, nullptr};
  px_audit audit{{sizeof(px_audit), 1, this}, nullptr, &Ports::record, nullptr};

  Ports() {
    principal.struct_size = sizeof(principal);
    as(PX_PRINCIPAL_USER);
  }
  ~Ports() {
    for (auto& thread : threads) {
      thread.join();
    }
  }

  void as(px_principal_kind kind) {
    principal.kind = kind;
    principal.id = wire(*parse_uuid(kNode));
  }

  template <typename Answer>
  void complete(Answer answer) {
    if (throws) {
      throw 42;
    }
    if (later) {
      threads.emplace_back(answer);
    } else {
      answer();
    }
  }

  static void authenticate(void* self, const px_credential*, px_authn_done done, void* ctx) {
    auto* ports = static_cast<Ports*>(self);
    ports->complete([ports, done, ctx] {
      done(ctx, ports->authn_status, wire(ports->authn_reason),
           ports->authn_status == PX_OK ? &ports->principal : nullptr);
    });
  }
  static void check(void* self, const px_check* check, px_authz_done done, void* ctx) {
    auto* ports = static_cast<Ports*>(self);
    ports->asked = text(check->subject.type) + ":" + text(check->subject.id) + " " +
                   text(check->permission) + " " + text(check->object.type) + ":" +
                   text(check->object.id);
    ports->complete([ports, done, ctx] {
      const px_str hop = wire("domain:x#admin");
      const px_decision decision{sizeof(px_decision), ports->decision, &hop,
                                 ports->decision == PX_REASON_GRANTED ? 1U : 0U};
      done(ctx, ports->authz_status, ports->authz_status == PX_OK ? &decision : nullptr);
    });
  }
  static void record(void* self, const px_audit_entry* entry, px_audit_done done, void* ctx) {
    auto* ports = static_cast<Ports*>(self);
    ports->audited = std::to_string(entry->reason) + " " + text(entry->relation) + " " +
                     text(entry->object_type) + " chain " + std::to_string(entry->chain);
    ports->complete(
        [ports, done, ctx] { done(ctx, ports->audit_status, wire(ports->audit_reason)); });
  }
};

class Fixture {
 public:
  Fixture() : log_("plexsphere", telemetry::Level::kDebug, log_text_), router_(log_, metrics_, {}) {
    add("GET", "/open", PX_AUTH_NONE);
    add("GET", "/self", PX_AUTH_OPERATOR);
    Route node = make_handled(make("GET", "/nodes/{id}/state", PX_AUTH_NODE));
    node.node_parameter = "id";
    REQUIRE(router_.add(node).ok());
    Route both = guarded("GET", "/nodes/{id}/events");
    both.auth = PX_AUTH_NODE_OR_OPERATOR;
    both.node_parameter = "id";
    both.object_type = "node";
    REQUIRE(router_.add(both).ok());
    REQUIRE(router_.add(guarded("GET", "/domains/{id}")).ok());
    Route hidden = guarded("DELETE", "/domains/{id}");
    hidden.denied_as = 404;
    hidden.not_found_code = "domain_not_found";
    REQUIRE(router_.add(hidden).ok());
    Route platform = guarded("POST", "/domains");
    platform.object_parameter = "";
    platform.object_type = "platform";
    REQUIRE(router_.add(platform).ok());
    ports_.emplace();
    use_all();
  }

  void use_all() { router_.set_ports({&ports_->authn, &ports_->authz, &ports_->audit}); }

  Response call(const std::string& method, const std::string& target,
                Headers headers = {{"authorization", "Bearer t"}}) {
    handled_ = 0;
    const auto reply = std::make_shared<Waiting>();
    router_.handle(Request{{method, target, std::move(headers), "127.0.0.1"}, "", false}, reply);
    const Response response = reply->wait();
    CHECK((handled_ == 1) == (response.status == 204));
    return response;
  }

  std::string code(const Response& response) {
    return nlohmann::json::parse(response.body)["code"].get<std::string>();
  }

 protected:
  static Route make(const char* method, const char* path, px_auth auth) {
    Route route;
    route.owner = "test";
    route.method = method;
    route.path = path;
    route.auth = auth;
    return route;
  }
  Route make_handled(Route route) {
    route.ctx = this;
    route.handle = [](void* self, const px_request*, const px_responder* responder) {
      ++static_cast<Fixture*>(self)->handled_;
      px_response response{};
      response.struct_size = sizeof(response);
      response.status = 204;
      responder->respond(responder->self, &response);
    };
    return route;
  }
  Route guarded(const char* method, const char* path) {
    Route route = make_handled(make(method, path, PX_AUTH_OPERATOR));
    route.permission = "manage";
    route.object_type = "domain";
    route.object_parameter = "id";
    return route;
  }
  void add(const char* method, const char* path, px_auth auth) {
    REQUIRE(router_.add(make_handled(make(method, path, auth))).ok());
  }

  std::ostringstream log_text_;
  telemetry::Logger log_;
  telemetry::Metrics metrics_;
  Router router_;
  std::optional<Ports> ports_;
  int handled_ = 0;
};

TEST_CASE_METHOD(Fixture, "an open route asks nobody", "[http]") {
  router_.set_ports({});
  CHECK(call("GET", "/open", {}).status == 204);
}

TEST_CASE_METHOD(Fixture, "a missing credential is 401 with the code of the route's kind",
                 "[http]") {
  for (const Headers& headers : {Headers{}, Headers{{"authorization", "Basic abc"}},
                                 Headers{{"authorization", "Bearer "}}}) {
    const auto user = call("GET", "/self", headers);
    CHECK(user.status == 401);
    CHECK(code(user) == "unauthenticated");
    CHECK(user.has_header("WWW-Authenticate"));
    CHECK(code(call("GET", "/nodes/" + kNode + "/state", headers)) == "unauthorized");
  }
}

TEST_CASE_METHOD(Fixture, "a refused credential is 401 with the port's code", "[http]") {
  ports_->authn_status = PX_UNAUTHENTICATED;
  ports_->authn_reason = "nsk_revoked";
  const auto answer = call("GET", "/nodes/" + kNode + "/state");
  CHECK(answer.status == 401);
  CHECK(code(answer) == "nsk_revoked");
}

TEST_CASE_METHOD(Fixture, "uncertainty about a credential is 503 and never 401", "[http]") {
  for (const px_status status : {PX_UNAVAILABLE, PX_UNKNOWN, PX_INTERNAL, PX_DEADLINE_EXCEEDED,
                                 PX_RESOURCE_EXHAUSTED, PX_CANCELLED}) {
    ports_->authn_status = status;
    const auto answer = call("GET", "/self");
    CHECK(answer.status == 503);
    CHECK(code(answer) == "authn_unavailable");
  }
}

TEST_CASE_METHOD(Fixture, "a missing port is 503 with its code and never open", "[http]") {
  router_.set_ports({nullptr, &ports_->authz, &ports_->audit});
  CHECK(code(call("GET", "/self")) == "authn_unavailable");
  router_.set_ports({&ports_->authn, nullptr, &ports_->audit});
  CHECK(code(call("GET", "/domains/" + kNode)) == "authz_unavailable");
  router_.set_ports({&ports_->authn, &ports_->authz, nullptr});
  CHECK(code(call("GET", "/domains/" + kNode)) == "audit_unavailable");
}

TEST_CASE_METHOD(Fixture, "a port that throws is 503", "[http]") {
  ports_->throws = true;
  CHECK(code(call("GET", "/self")) == "authn_unavailable");
}

TEST_CASE_METHOD(Fixture, "a credential of the wrong kind is refused even if the port takes it",
                 "[http]") {
  ports_->as(PX_PRINCIPAL_NODE);
  CHECK(call("GET", "/self").status == 401);
  ports_->as(PX_PRINCIPAL_USER);
  CHECK(call("GET", "/nodes/" + kNode + "/state").status == 401);
}

TEST_CASE_METHOD(Fixture, "a Node reaches its own path only", "[http]") {
  ports_->as(PX_PRINCIPAL_NODE);
  CHECK(call("GET", "/nodes/" + kNode + "/state").status == 204);
  const auto other = call("GET", "/nodes/" + kOther + "/state");
  CHECK(other.status == 403);
  CHECK(code(other) == "node_id_mismatch");
  CHECK(call("GET", "/nodes/" + kNode + "/events").status == 204);
  CHECK(ports_->asked.empty());
  CHECK(code(call("GET", "/nodes/" + kOther + "/events")) == "node_id_mismatch");
}

TEST_CASE_METHOD(Fixture, "an operator on a Node's path is checked", "[http]") {
  CHECK(call("GET", "/nodes/" + kOther + "/events").status == 204);
  CHECK(ports_->asked == "user:" + kNode + " manage node:" + kOther);
}

TEST_CASE_METHOD(Fixture, "a grant is asked, recorded and let through", "[http]") {
  CHECK(call("GET", "/domains/" + kOther).status == 204);
  CHECK(ports_->asked == "user:" + kNode + " manage domain:" + kOther);
  CHECK(ports_->audited == "0 manage domain chain 0");
  CHECK(call("POST", "/domains").status == 204);
  CHECK(ports_->asked == "user:" + kNode + " manage platform:plexsphere");
  CHECK(ports_->audited == "0 manage platform chain 2");
}

TEST_CASE_METHOD(Fixture, "an id is compared and asked in its canonical form", "[http]") {
  CHECK(call("GET", "/domains/0198F000-0000-7000-8000-00000000000B").status == 204);
  CHECK(ports_->asked == "user:" + kNode + " manage domain:" + kOther);
}

TEST_CASE_METHOD(Fixture, "a denial is recorded and told as 403, or hidden as 404", "[http]") {
  ports_->decision = PX_REASON_OUT_OF_SCOPE;
  const auto shown = call("GET", "/domains/" + kOther);
  CHECK(shown.status == 403);
  CHECK(nlohmann::json::parse(shown.body)["reason"] == "out_of_scope");
  CHECK(ports_->audited == "1 manage domain chain 0");
  const auto hidden = call("DELETE", "/domains/" + kOther);
  CHECK(hidden.status == 404);
  CHECK(code(hidden) == "domain_not_found");
}

TEST_CASE_METHOD(Fixture, "a check without an answer grants nothing", "[http]") {
  ports_->authz_status = PX_UNAVAILABLE;
  CHECK(code(call("GET", "/domains/" + kOther)) == "authz_unavailable");
  ports_->authz_status = PX_OK;
  ports_->decision = PX_REASON_UNKNOWN;
  CHECK(code(call("GET", "/domains/" + kOther)) == "authz_unavailable");
}

TEST_CASE_METHOD(Fixture, "a decision that cannot be recorded is not acted upon", "[http]") {
  for (const px_reason reason : {PX_REASON_GRANTED, PX_REASON_OUT_OF_SCOPE}) {
    ports_->decision = reason;
    ports_->audit_status = PX_UNAVAILABLE;
    const auto answer = call("GET", "/domains/" + kOther);
    CHECK(answer.status == 503);
    CHECK(code(answer) == "audit_unavailable");
  }
}

TEST_CASE_METHOD(Fixture, "an object that nobody owns is not found by who may see it", "[http]") {
  ports_->audit_status = PX_FAILED_PRECONDITION;
  ports_->audit_reason = "domain_unresolved";
  CHECK(call("GET", "/domains/" + kOther).status == 404);
  ports_->decision = PX_REASON_INSUFFICIENT_RELATION;
  CHECK(call("GET", "/domains/" + kOther).status == 403);
}

TEST_CASE_METHOD(Fixture, "every step may complete later from another thread", "[http]") {
  ports_->later = true;
  for (int i = 0; i < 50; ++i) {
    CHECK(call("GET", "/domains/" + kOther).status == 204);
  }
  CHECK(router_.unanswered() == 0);
}

TEST_CASE_METHOD(Fixture, "the correlation id is taken when well-formed, made otherwise, and told",
                 "[http]") {
  const auto id_of = [this](const std::string& sent) {
    const auto answer = call("GET", "/open", {{"x-correlation-id", sent}});
    for (const auto& [name, value] : answer.headers) {
      if (name == "X-Correlation-Id") {
        return value;
      }
    }
    return std::string();
  };
  CHECK(id_of("abc.DEF_1-2") == "abc.DEF_1-2");
  for (const std::string& bad :
       {std::string(), std::string("a b"), std::string(65, 'a'), std::string("a\"b")}) {
    CHECK(parse_uuid(id_of(bad)).has_value());
  }
  CHECK(log_text_.str().find("\"correlation_id\":\"abc.DEF_1-2\"") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "requests that no route can take are told so", "[http]") {
  CHECK(code(call("GET", "/nowhere")) == "not_found");
  const auto method = call("PUT", "/open");
  CHECK(method.status == 405);
  CHECK(method.has_header("Allow"));
  CHECK(code(call("GET", "*")) == "invalid_path");
  CHECK(code(call("GET", "/open?a=%zz")) == "invalid_query");
  const auto encoded = call("GET", "/open", {{"content-encoding", "gzip"}});
  CHECK(encoded.status == 415);
  CHECK(code(encoded) == "unsupported_content_encoding");
}

TEST_CASE_METHOD(Fixture, "each request is counted by template and logged once", "[http]") {
  CHECK(call("GET", "/domains/" + kOther).status == 204);
  const auto text = metrics_.render();
  CHECK(text.find("plexsphere_http_requests_total{method=\"GET\",route=\"/domains/{id}\","
                  "status=\"204\"} 1") != std::string::npos);
  CHECK(text.find("plexsphere_http_request_duration_seconds_count{method=\"GET\","
                  "route=\"/domains/{id}\"} 1") != std::string::npos);
  const auto line = nlohmann::json::parse(log_text_.str());
  CHECK(line["event"] == "http.request");
  CHECK(line["route"] == "/domains/{id}");
  CHECK(line["principal"] == kNode);
}

TEST_CASE_METHOD(Fixture, "routes that contradict themselves are refused", "[http]") {
  Route route = make("GET", "/x/{id}", PX_AUTH_NODE);
  route.node_parameter = "node_id";
  CHECK_FALSE(router_.add(route).ok());
  route.node_parameter = "";
  route.denied_as = 200;
  CHECK_FALSE(router_.add(route).ok());
  route.denied_as = 403;
  route.permission = "manage";
  CHECK_FALSE(router_.add(route).ok());
  route.permission = "";
  route.body_limit = kLargestBodyLimit + 1;
  CHECK_FALSE(router_.add(route).ok());
}

}  // namespace
}  // namespace plexsphere::host::http
