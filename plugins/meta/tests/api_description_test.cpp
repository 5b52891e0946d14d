#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "http/api_description.hpp"

using namespace plexsphere::meta;
using nlohmann::json;

namespace {

const std::string kA = R"({"paths":{"/v1/a/{id}":{"get":{"operationId":"GetA","responses":{
  "200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}}},
  "components":{"schemas":{"A":{"type":"object"}}}})";

std::string refusal(const std::vector<ApiFragment>& fragments) {
  const auto merged = merge_api(fragments, "1");
  return merged.ok() ? "merged" : merged.error().reason + ": " + merged.error().detail;
}

}  // namespace

TEST_CASE("the document is OpenAPI 3.1, carries our version, and names a relative server",
          "[meta][openapi]") {
  const auto merged = merge_api({}, "1.2.3");
  REQUIRE(merged.ok());
  const auto document = json::parse(merged->json);
  CHECK(document["openapi"] == "3.1.0");
  CHECK(document["info"]["version"] == "1.2.3");
  CHECK(document["servers"] == json::parse(R"([{"url":"/"}])"));
  CHECK(document["paths"].empty());
  CHECK(document["components"]["schemas"].contains("Problem"));
}

TEST_CASE("fragments come together, also two methods of one path", "[meta][openapi]") {
  const auto merged = merge_api(
      {{"a", kA}, {"b", R"({"paths":{"/v1/a/{id}":{"put":{"operationId":"PutA"}}}})"}}, "1");
  REQUIRE(merged.ok());
  const auto document = json::parse(merged->json);
  CHECK(document["paths"]["/v1/a/{id}"]["get"]["operationId"] == "GetA");
  CHECK(document["paths"]["/v1/a/{id}"]["put"]["operationId"] == "PutA");
  CHECK(document["components"]["schemas"]["A"]["type"] == "object");
}

TEST_CASE("every operation that is not public may answer that nobody can be checked",
          "[meta][openapi]") {
  const auto merged = merge_api({{"a", R"({"paths":{"/a":{
    "parameters":[],
    "get":{"security":[]},
    "put":{"security":[{"nsk":[]}],"responses":{"503":{"description":"datastore_unavailable."}}},
    "post":{"responses":{"200":{}}},
    "delete":{"responses":3}}}})"}},
                                "1");
  REQUIRE(merged.ok());
  const auto item = json::parse(merged->json)["paths"]["/a"];
  CHECK_FALSE(item["get"].contains("responses"));
  CHECK(item["put"]["responses"]["503"]["description"] ==
        "datastore_unavailable.; authn_unavailable");
  const auto made = item["post"]["responses"]["503"];
  CHECK(made["description"] == "authn_unavailable; authz_unavailable; audit_unavailable");
  CHECK(made["content"].contains("application/problem+json"));
  CHECK(item["delete"]["responses"] == 3);
}

TEST_CASE("an operation that two plugins describe is refused with both names", "[meta][openapi]") {
  const auto told = refusal({{"a", kA}, {"b", R"({"paths":{"/v1/a/{a_id}":{"get":{}}}})"}});
  CHECK_THAT(told, Catch::StartsWith("openapi_conflict") && Catch::Contains("'a' and 'b'") &&
                       Catch::Contains("get /v1/a/{a_id}"));
}

TEST_CASE("a schema that two plugins define differently is refused with both names",
          "[meta][openapi]") {
  CHECK_THAT(refusal({{"a", kA}, {"b", R"({"components":{"schemas":{"A":{"type":"string"}}}})"}}),
             Catch::StartsWith("openapi_conflict") && Catch::Contains("'a' and 'b'") &&
                 Catch::Contains("components/schemas/A"));
  CHECK_THAT(refusal({{"b", R"({"components":{"schemas":{"Problem":{"type":"string"}}}})"}}),
             Catch::Contains("'meta' and 'b'"));
  CHECK(refusal({{"a", kA}, {"b", R"({"components":{"schemas":{"A":{"type":"object"}}}})"}}) ==
        "merged");
}

TEST_CASE("a fragment that cannot be read names its plugin", "[meta][openapi]") {
  for (const auto* bad :
       {"", "[]", R"({"paths":[]})", R"({"paths":{"/a":3}})", R"({"components":{"schemas":7}})"}) {
    CHECK_THAT(refusal({{"odd", bad}}),
               Catch::StartsWith("openapi_fragment") && Catch::Contains("'odd'"));
  }
}

TEST_CASE("a reference to nothing is told with the plugin's name, and is no error",
          "[meta][openapi]") {
  const auto merged =
      merge_api({{"a", R"({"paths":{"/a":{"get":{"$ref":"#/components/schemas/X"}}}})"}}, "1");
  REQUIRE(merged.ok());
  CHECK(merged->dangling ==
        std::vector<std::string>{"plugin 'a' refers to #/components/schemas/X"});
}

TEST_CASE("the fragments of this tree fit together", "[meta][openapi]") {
  std::vector<ApiFragment> fragments;
  for (const auto& folder : std::filesystem::directory_iterator(PLUGINS_SOURCE_DIR)) {
    const auto file = folder.path() / "openapi.json";
    if (std::filesystem::exists(file)) {
      std::stringstream text;
      text << std::ifstream(file).rdbuf();
      fragments.push_back({folder.path().filename(), text.str()});
    }
  }
  CHECK(fragments.size() >= 2);
  REQUIRE(refusal(fragments) == "merged");
  CHECK(merge_api(fragments, "1")->dangling.empty());
}
