// Translates schemas of JSON Schema 2020-12 into draft 7. See json_schema.hpp for why.
#pragma once

#include <nlohmann/json.hpp>

#include "contract/json_schema.hpp"

namespace plexsphere::contract {

// `where` names the schema in errors. Throws std::runtime_error on what it cannot translate.
nlohmann::json to_draft7(const nlohmann::json& schema, Unlisted unlisted, const std::string& where);

}  // namespace plexsphere::contract
