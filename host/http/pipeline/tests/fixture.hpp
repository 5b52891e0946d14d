// A router without an engine: answers are taken where the engine would take them.
#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "host/base/wire_text.hpp"
#include "host/http/pipeline/router.hpp"
#include "host/http/stream/detached_connection.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"

namespace plexsphere::host::http::testing {

using namespace std::chrono_literals;  // NOLINT: test

inline const std::string kNode = "0198f000-0000-7000-8000-00000000000a";
inline const std::string kOther = "0198f000-0000-7000-8000-00000000000b";

// The engine's side of one request: runs tasks and takes the answer on the test's thread.
class Waiting final : public Reply {
 public:
  void send(Response response) override {
    const std::lock_guard lock(mutex_);
    ++answers_;
    response_ = std::move(response);
    wake_.notify_all();
  }
  void detach(Response response, Taker taker) override {
    const std::lock_guard lock(mutex_);
    ++answers_;
    response_ = std::move(response);
    taker_ = std::move(taker);
    wake_.notify_all();
  }
  void run(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wake_.notify_all();
  }
  Response wait() {
    std::unique_lock lock(mutex_);
    for (;;) {
      REQUIRE(wake_.wait_for(lock, 20s, [this] { return response_ || !tasks_.empty(); }));
      if (tasks_.empty()) {
        return *response_;
      }
      const auto task = std::move(tasks_.front());
      tasks_.erase(tasks_.begin());
      lock.unlock();
      task();
      lock.lock();
    }
  }
  // How often send or detach was called.
  int answers() {
    const std::lock_guard lock(mutex_);
    return answers_;
  }
  // Whether the connection was given away, instead of answered.
  bool detached() {
    const std::lock_guard lock(mutex_);
    return taker_ != nullptr;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Response> response_;
  std::vector<std::function<void()>> tasks_;
  Taker taker_;
  int answers_ = 0;
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
  std::vector<std::function<void()>> broken;  // callbacks that came with an exception

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
      broken.push_back(answer);
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
  explicit Fixture(RouterOptions options = {})
      : log_("plexsphere", telemetry::Level::kDebug, log_text_),
        router_(log_, metrics_, std::move(options)) {
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
    return call_with({{method, target, std::move(headers), "127.0.0.1"}, "", false});
  }
  Response call_with(Request request) {
    handled_ = 0;
    const auto reply = std::make_shared<Waiting>();
    router_.handle(std::move(request), reply);
    const Response response = reply->wait();
    CHECK(reply->answers() == 1);
    CHECK((handled_ == 1) == (response.status == 204));
    return response;
  }

  static std::string code(const Response& response) {
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
    route.handle = [](void* self, const px_request* request, const px_responder* responder) {
      auto* fixture = static_cast<Fixture*>(self);
      ++fixture->handled_;
      fixture->body_ =
          std::string(reinterpret_cast<const char*>(request->body.ptr), request->body.len);
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
  std::string body_;  // as the last handler saw it
};

inline std::string header_of(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) {
      return value;
    }
  }
  return "(absent)";
}

}  // namespace plexsphere::host::http::testing
