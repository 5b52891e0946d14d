// The OpenAPI document of a running server, with its operations looked up by request.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "contract/json_schema.hpp"

namespace plexsphere::contract {

struct Operation {
  std::string id;  // operationId
  std::string method;
  std::string path;       // the template
  nlohmann::json object;  // the Operation Object, its references resolved one level deep
  nlohmann::json parameters = nlohmann::json::array();  // of path item and operation, resolved
};

// One request matched with its operation.
struct Match {
  const Operation* operation = nullptr;
  std::map<std::string, std::string> path_values;  // by parameter name
};

// Immutable and thread-safe once made.
class ApiDocument {
 public:
  // Throws std::runtime_error on a document that is not OpenAPI 3.1, on an operation without an
  // operationId or with one that stands twice, and on a reference that leads nowhere.
  explicit ApiDocument(const nlohmann::json& document);
  // GET /v1/openapi.json of the server at `base_url`.
  static ApiDocument of_server(const std::string& base_url);

  // The operation that answers `method` on `path` (without a query); literal segments win over
  // parameters.
  std::optional<Match> match(const std::string& method, const std::string& path) const;
  const Operation* find(const std::string& operation_id) const;
  const std::vector<Operation>& operations() const { return operations_; }

  const SchemaSet& answers() const { return *answers_; }
  const SchemaSet& requests() const { return *requests_; }

 private:
  std::vector<Operation> operations_;
  std::unique_ptr<const SchemaSet> answers_;
  std::unique_ptr<const SchemaSet> requests_;
};

}  // namespace plexsphere::contract
