#include "contract/json_schema.hpp"

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "contract/draft7.hpp"

namespace plexsphere::contract {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

struct SchemaSet::State {
  explicit State(Unlisted how) : unlisted(how) {}

  const valijson::Schema& compiled(const json& schema) {
    const std::string key = schema.dump();
    const std::lock_guard lock(mutex);
    if (const auto found = cache.find(key); found != cache.end()) {
      return *found->second;
    }
    const json root{{"allOf", json::array({to_draft7(schema, unlisted, "the schema")})},
                    {"components", components}};
    auto tree = std::make_unique<valijson::Schema>();
    valijson::SchemaParser().populateSchema(NlohmannJsonAdapter(root), *tree);
    return *cache.emplace(key, std::move(tree)).first->second;
  }

  Unlisted unlisted;
  json components = {{"schemas", json::object()}};
  std::mutex mutex;                                                      // of cache
  std::map<std::string, std::unique_ptr<const valijson::Schema>> cache;  // by the schema's text
};

SchemaSet::SchemaSet(const json& document, Unlisted unlisted)
    : state_(std::make_unique<State>(unlisted)) {
  const json schemas = document.value(json::json_pointer("/components/schemas"), json::object());
  for (const auto& [name, schema] : schemas.items()) {
    state_->components["schemas"][name] =
        to_draft7(schema, unlisted, "#/components/schemas/" + name);
  }
}

SchemaSet::~SchemaSet() = default;

std::vector<std::string> SchemaSet::errors(const json& schema, const json& value) const {
  valijson::ValidationResults results;
  valijson::Validator validator;
  std::vector<std::string> out;
  if (validator.validate(state_->compiled(schema), NlohmannJsonAdapter(value), &results)) {
    return out;
  }
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    std::string where = "body";
    for (std::size_t i = 1; i < error.context.size(); ++i) {  // the first is "<root>"
      where += error.context[i];
    }
    out.push_back(where + ": " + error.description);
  }
  if (out.empty()) {
    out.emplace_back("body: does not match");
  }
  return out;
}

}  // namespace plexsphere::contract
