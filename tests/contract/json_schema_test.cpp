#include "contract/json_schema.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using nlohmann::json;
using plexsphere::contract::SchemaSet;
using plexsphere::contract::Unlisted;

namespace {

const json kDocument = json::parse(R"({"components": {"schemas": {
  "Key": {"type": "string", "pattern": "^[A-Z]{3}$"},
  "Kind": {"enum": ["node", "bridge"]},
  "Node": {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "string", "format": "uuid"},
    "key": {"$ref": "#/components/schemas/Key", "description": "beside a reference"},
    "kind": {"$ref": "#/components/schemas/Kind"},
    "policy": {"type": ["object", "null"]},
    "peers": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
  }},
  "Closed": {"type": "object", "additionalProperties": false, "properties": {"a": {}}}
}}})");

const json kId = "0197c0de-1111-7222-8333-444455556666";

json of(const char* component) {
  return {{"$ref", std::string("#/components/schemas/") + component}};
}

bool good(const json& schema, const json& value, Unlisted unlisted = Unlisted::allowed) {
  return SchemaSet(kDocument, unlisted).errors(schema, value).empty();
}

}  // namespace

TEST_CASE("a schema accepts what it describes and refuses what it does not", "[contract]") {
  struct Row {
    const char* schema;
    const char* value;
    bool good;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"type": "integer"})", "1", true},
      {R"({"type": "integer"})", "1.5", false},
      {R"({"type": "integer"})", R"("1")", false},
      {R"({"type": ["object", "null"]})", "null", true},
      {R"({"type": ["object", "null"]})", "[]", false},
      {R"({"minLength": 2, "maxLength": 3})", R"("äöü")", true},
      {R"({"minLength": 2, "maxLength": 3})", R"("äöüß")", false},
      {R"({"minLength": 2, "maxLength": 3})", R"("a")", false},
      {R"({"minimum": 300, "maximum": 86400})", "299", false},
      {R"({"minimum": 300, "maximum": 86400})", "86400", true},
      {R"({"enum": ["a", "b"]})", R"("c")", false},
      {R"({"const": 403})", "403", true},
      {R"({"const": 403})", "404", false},
      {R"({"maxItems": 1, "items": {"type": "string"}})", R"(["a"])", true},
      {R"({"maxItems": 1, "items": {"type": "string"}})", R"(["a", "b"])", false},
      {R"({"maxItems": 1, "items": {"type": "string"}})", "[1]", false},
      {R"({"prefixItems": [{"type": "string"}, {"type": "integer"}]})", R"(["a", 1])", true},
      {R"({"prefixItems": [{"type": "string"}, {"type": "integer"}]})", R"(["a", "b"])", false},
      {R"({"additionalProperties": {"type": "string"}})", R"({"x": "y"})", true},
      {R"({"additionalProperties": {"type": "string"}})", R"({"x": 1})", false},
      {R"({"format": "date-time"})", R"("2026-07-01T10:00:00.123456Z")", true},
      {R"({"format": "date-time"})", R"("2026-07-01T10:00:00Z")", true},
      {R"({"format": "date-time"})", R"("2026-07-01T10:00:00+02:00")", false},
      {R"({"format": "date-time"})", R"("2026-13-01T10:00:00Z")", false},
      {R"({"format": "date-time"})", R"("2026-07-01 10:00:00")", false},
      {R"({"format": "uuid"})", R"("0197c0de-1111-7222-8333-444455556666")", true},
      {R"({"format": "uuid"})", R"("0197C0DE-1111-7222-8333-444455556666")", false},
      {R"({"format": "uuid"})", R"("x0197c0de-1111-7222-8333-444455556666")", false},
      {R"({"format": "byte", "pattern": "^A"})", R"("AAAA")", true},
      {R"({"format": "byte", "pattern": "^A"})", R"("BAAA")", false},
      {R"({"format": "byte", "pattern": "^A"})", R"("AAA")", false},
      {R"({"format": "http-date"})", R"("Wed, 01 Jul 2026 10:00:00 GMT")", true},
      {R"({"format": "http-date"})", R"("2026-07-01T10:00:00Z")", false},
      {R"({"anyOf": [{"type": "string"}, {"type": "null"}]})", "1", false},
      {R"({"not": {"type": "string"}})", R"("a")", false},
  }));
  INFO(row.schema << " " << row.value);
  CHECK(good(json::parse(row.schema), json::parse(row.value)) == row.good);
}

TEST_CASE("references lead into the document, to themselves too, and keep what stands beside them",
          "[contract]") {
  CHECK(good(of("Node"), {{"id", kId}, {"kind", "node"}, {"key", "ABC"}, {"policy", nullptr}}));
  CHECK(good(of("Node"), {{"id", kId}, {"peers", {{{"id", kId}}}}}));
  CHECK_FALSE(good(of("Node"), json::object()));
  CHECK_FALSE(good(of("Node"), {{"id", kId}, {"kind", "vm"}}));
  CHECK_FALSE(good(of("Node"), {{"id", kId}, {"peers", {{{"id", "x"}}}}}));
  const json narrowed{{"$ref", "#/components/schemas/Key"}, {"enum", {"ABC"}}};
  CHECK(good(narrowed, "ABC"));
  CHECK_FALSE(good(narrowed, "ABD"));
  CHECK_FALSE(good(narrowed, "abc"));
}

TEST_CASE("a member that is not listed passes in a request and is drift in an answer",
          "[contract]") {
  const json more{{"id", kId}, {"surprise", 1}};
  CHECK(good(of("Node"), more, Unlisted::allowed));
  CHECK_FALSE(good(of("Node"), more, Unlisted::refused));
  CHECK_FALSE(good(of("Node"), {{"id", kId}, {"peers", {more}}}, Unlisted::refused));
  CHECK_FALSE(good(of("Closed"), {{"b", 1}}, Unlisted::allowed));
  CHECK(good({{"type", "object"}}, more, Unlisted::refused));  // free form
}

TEST_CASE("an error names the place", "[contract]") {
  const SchemaSet schemas(kDocument, Unlisted::allowed);
  const auto errors = schemas.errors(of("Node"), {{"id", kId}, {"key", "abc"}});
  REQUIRE_FALSE(errors.empty());
  std::string all;
  for (const auto& error : errors) {
    all += error + "\n";
  }
  CHECK_THAT(all, Catch::Contains("key"));
}

TEST_CASE("what the checker does not understand is an error, not a pass", "[contract]") {
  const SchemaSet schemas(kDocument, Unlisted::allowed);
  CHECK_THROWS_WITH(schemas.errors({{"nullable", true}}, 1), Catch::Contains("/nullable"));
  CHECK_THROWS_WITH(schemas.errors({{"format", "zip"}}, "x"), Catch::Contains("'zip'"));
  CHECK_THROWS_WITH(schemas.errors({{"unevaluatedProperties", false}}, 1),
                    Catch::Contains("does not know"));
  CHECK_THROWS(schemas.errors({{"$ref", "#/components/schemas/Nowhere"}}, 1));
}
