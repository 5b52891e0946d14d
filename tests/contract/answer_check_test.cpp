#include "contract/answer_check.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace plexsphere::contract;
using nlohmann::json;
using plexsphere::test_support::HttpResponse;

namespace {

const ApiDocument& document() {
  static const ApiDocument it(json::parse(R"({
    "openapi": "3.1.0",
    "paths": {
      "/v1/things": {"post": {
        "operationId": "CreateThing",
        "requestBody": {"required": true, "content": {"application/json": {"schema":
          {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}},
        "responses": {
          "201": {"description": "Made.",
                  "headers": {"Location": {"required": true, "schema": {"type": "string", "pattern": "^/v1/"}},
                              "X-Count": {"required": false, "schema": {"type": "integer"}}},
                  "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
          "400": {"description": "invalid_thing or bad_name.", "content": {"application/problem+json": {"schema": {}}}}
        }}},
      "/v1/things/{id}": {
        "parameters": [{"$ref": "#/components/parameters/Id"}],
        "get": {
          "operationId": "GetThing",
          "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}}],
          "responses": {"200": {"description": "It.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}},
        "delete": {"operationId": "DeleteThing", "responses": {"204": {"description": "Gone."},
          "200": {"description": "undecided", "headers": {"X-A": {"schema": {}}}}}}},
      "/v1/things/new": {"get": {"operationId": "GetNewThing", "responses": {"200": {"description": "x"}}}}
    },
    "components": {
      "parameters": {"Id": {"name": "id", "in": "path", "schema": {"type": "string", "format": "uuid"}}},
      "schemas": {"Thing": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}
    }})"));
  return it;
}

constexpr auto kPath = "/v1/things/0197c0de-1111-7222-8333-444455556666";

HttpResponse answer(int status, const std::string& type, const std::string& body) {
  HttpResponse out{status, {{"X-Correlation-Id", "c-1"}}, body};
  if (!type.empty()) {
    out.headers["Content-Type"] = type;
  }
  return out;
}

Exchange made() {
  Exchange out{"POST", "/v1/things", "application/json", R"({"name": "n"})",
               answer(201, "application/json; charset=utf-8", R"({"id": 1})")};
  out.answer.headers["Location"] = "/v1/things/1";
  return out;
}

Exchange refused(const json& change = json::object()) {
  json problem{{"type", "https://plexsphere.com/errors/bad-name"},
               {"title", "Bad"},
               {"status", 400},
               {"detail", "d"},
               {"instance", "/v1/things"},
               {"code", "bad_name"},
               {"correlation_id", "c-1"}};
  problem.update(change);
  return {"POST", "/v1/things", "application/json", "{",
          answer(400, "application/problem+json", problem.dump())};
}

// All violations in one text; empty when there is none.
std::string wrong(const Exchange& exchange) {
  std::string out;
  for (const auto& violation : check(document(), exchange).violations) {
    out += violation + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("an exchange that keeps the document has no violation", "[contract]") {
  CHECK(wrong(made()).empty());
  CHECK(wrong(refused()).empty());
  CHECK(check(document(), refused()).code == "bad_name");
  CHECK(check(document(), refused()).operation_id == "CreateThing");
  CHECK(wrong({"GET", std::string(kPath) + "?limit=3", "", "",
               answer(200, "application/json", R"({"id": 1})")})
            .empty());
  CHECK(wrong({"DELETE", kPath, "", "", answer(204, "", "")}).empty());
}

TEST_CASE("each departure from the document is found", "[contract]") {
  const auto with = [](auto change) {
    Exchange exchange = made();
    change(exchange);
    return wrong(exchange);
  };
  using Catch::Contains;
  CHECK_THAT(with([](Exchange& e) { e.method = "PUT"; }), Contains("no such operation"));
  CHECK_THAT(with([](Exchange& e) { e.target = "/v1/thing"; }), Contains("no such operation"));
  CHECK_THAT(with([](Exchange& e) { e.answer.status = 202; }), Contains("status is not declared"));
  CHECK_THAT(with([](Exchange& e) { e.answer.headers["Content-Type"] = "text/html"; }),
             Contains("'text/html' is not declared"));
  CHECK_THAT(with([](Exchange& e) { e.answer.body = "{}"; }), Contains("answer: body"));
  CHECK_THAT(with([](Exchange& e) { e.answer.body = "{"; }), Contains("not JSON"));
  CHECK_THAT(with([](Exchange& e) { e.answer.body = ""; }), Contains("not JSON"));
  CHECK_THAT(with([](Exchange& e) { e.answer.body = R"({"id": 1, "more": 2})"; }),
             Contains("answer: body"));
  CHECK_THAT(with([](Exchange& e) { e.answer.headers.erase("Location"); }),
             Contains("Location is missing"));
  CHECK_THAT(with([](Exchange& e) { e.answer.headers["Location"] = "/v2/x"; }),
             Contains("header Location"));
  CHECK_THAT(with([](Exchange& e) { e.answer.headers["X-Count"] = "many"; }),
             Contains("header X-Count"));
  CHECK(with([](Exchange& e) { e.answer.headers["X-Count"] = "3"; }).empty());
  CHECK_THAT(with([](Exchange& e) { e.answer.headers["Sunset"] = "x"; }),
             Contains("Sunset comes and is not declared"));
  CHECK_THAT(with([](Exchange& e) { e.answer.headers["Retry-After"] = "soon"; }),
             Contains("Retry-After"));
  CHECK_THAT(with([](Exchange& e) { e.request_body = "{}"; }), Contains("request: body"));
  CHECK_THAT(with([](Exchange& e) { e.request_body = ""; }), Contains("body is required"));
  CHECK_THAT(with([](Exchange& e) { e.request_type = "text/plain"; }),
             Contains("request's Content-Type"));
  CHECK_THAT(with([](Exchange& e) { e.target = "/v1/things?limit=3"; }),
             Contains("limit is not declared"));
}

TEST_CASE("parameters and bodies that no success may come with are found", "[contract]") {
  const auto thing = answer(200, "application/json", R"({"id": 1})");
  using Catch::Contains;
  CHECK_THAT(wrong({"GET", "/v1/things/1", "", "", thing}), Contains("path parameter id"));
  CHECK_THAT(wrong({"GET", std::string(kPath) + "?limit=10", "", "", thing}),
             Contains("query parameter limit"));
  CHECK_THAT(wrong({"GET", std::string(kPath) + "?limit=x", "", "", thing}),
             Contains("query parameter limit"));
  CHECK_THAT(wrong({"DELETE", kPath, "application/json", "{}", answer(204, "", "")}),
             Contains("declares no request body"));
  CHECK_THAT(wrong({"DELETE", kPath, "", "", answer(204, "", "x")}), Contains("declares no body"));
  CHECK_THAT(wrong({"DELETE", kPath, "", "", answer(200, "", "")}),
             Contains("does not say whether the header X-A is required"));
}

TEST_CASE("a problem must be true about itself, with a code that the document lists",
          "[contract]") {
  using Catch::Contains;
  CHECK_THAT(wrong(refused({{"status", 404}})), Contains("problem's status"));
  CHECK_THAT(wrong(refused({{"instance", "/"}})), Contains("problem's instance"));
  CHECK_THAT(wrong(refused({{"correlation_id", "c-2"}})), Contains("problem's correlation_id"));
  CHECK_THAT(wrong(refused({{"type", "about:blank"}})), Contains("problem's type"));
  CHECK_THAT(wrong(refused({{"code", ""}})), Contains("no code"));
  CHECK_THAT(wrong(refused({{"code", "name"}})), Contains("does not list the code name"));
}

TEST_CASE("literal segments win over parameters", "[contract]") {
  CHECK(document().match("GET", "/v1/things/new")->operation->id == "GetNewThing");
  CHECK(document().match("GET", "/v1/things/old")->operation->id == "GetThing");
  CHECK_FALSE(document().match("GET", "/v1/things/old/more"));
}

TEST_CASE("a document that is not in order is refused", "[contract]") {
  const auto with = [](const char* paths) {
    return json{{"openapi", "3.1.0"}, {"paths", json::parse(paths)}};
  };
  using Catch::Contains;
  CHECK_THROWS_WITH(ApiDocument(json{{"openapi", "3.0.0"}, {"paths", json::object()}}),
                    Contains("not OpenAPI 3.1"));
  CHECK_THROWS_WITH(ApiDocument(with(R"({"/a": {"get": {"responses": {}}}})")),
                    Contains("no operationId"));
  CHECK_THROWS_WITH(ApiDocument(with(R"({"/a": {"get": {"operationId": "A", "responses": {}},
                                                "put": {"operationId": "A", "responses": {}}}})")),
                    Contains("stands twice"));
  CHECK_THROWS_WITH(ApiDocument(with(R"({"/a": {"get": {"operationId": "A",
                       "responses": {"200": {"$ref": "#/components/responses/X"}}}}})")),
                    Contains("which is not there"));
}
