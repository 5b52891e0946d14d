// JSON Schema as an OpenAPI 3.1 document writes it, for the checks of tests.
//
// The validator is valijson, which speaks draft 7; OpenAPI 3.1 speaks 2020-12. What differs is
// translated first: a `$ref` with siblings becomes an `allOf`, `prefixItems` becomes a list of
// `items`, and `format`, which draft 7 leaves to the reader, becomes a pattern. A keyword or format
// that is not translated is an error, never silently ignored: a check that looks away proves
// nothing.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace plexsphere::contract {

// How to read an object schema that says nothing of further members.
enum class Unlisted {
  allowed,  // as the standard does; for requests
  refused,  // what an answer says and the document does not is drift
};

// The schemas of one document. Immutable and thread-safe once made; compiles each schema once.
class SchemaSet {
 public:
  // `document` is the whole OpenAPI document, so that "#/components/schemas/…" resolves. Throws
  // std::runtime_error, naming the place, on a keyword or format this file does not know.
  SchemaSet(const nlohmann::json& document, Unlisted unlisted);
  ~SchemaSet();
  SchemaSet(const SchemaSet&) = delete;
  SchemaSet& operator=(const SchemaSet&) = delete;

  // Why `value` is not what `schema` (a part of the document) describes; empty when it is.
  std::vector<std::string> errors(const nlohmann::json& schema, const nlohmann::json& value) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plexsphere::contract
