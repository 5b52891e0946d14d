// The steps before a handler, each failing in turn, at once and later.
#include "fixture.hpp"

namespace plexsphere::host::http {
namespace {

using namespace testing;  // NOLINT: test

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

TEST_CASE_METHOD(Fixture, "a port that throws is 503, and what it says afterwards is ignored",
                 "[http]") {
  ports_->throws = true;
  CHECK(code(call("GET", "/self")) == "authn_unavailable");
  REQUIRE(ports_->broken.size() == 1);
  ports_->broken.front()();
  CHECK(handled_ == 0);
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
  const auto denial = nlohmann::json::parse(other.body);
  CHECK(denial.at("reason") ==
        "insufficient_relation");  // a PermissionDenied, as any 403 of a path
  CHECK(denial.at("relation_path").empty());
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
    return header_of(call("GET", "/open", {{"x-correlation-id", sent}}), "X-Correlation-Id");
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
