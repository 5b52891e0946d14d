#include "http/api_description.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <vector>

namespace plexsphere::meta {
namespace {

using Json = nlohmann::ordered_json;

// What every answer shares, so that no fragment has to bring it.
constexpr auto kShared = R"({
  "securitySchemes": {
    "bearer": {"type": "http", "scheme": "bearer", "description": "API token of an operator."},
    "nsk": {"type": "http", "scheme": "bearer",
            "description": "Node secret key as nsk_<env>_<payload>."}
  },
  "schemas": {
    "Problem": {
      "type": "object",
      "description": "RFC 9457. Branch on `code`; `detail` is for people.",
      "required": ["type", "title", "status", "detail", "instance", "correlation_id"],
      "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"}, "instance": {"type": "string"}, "code": {"type": "string"},
        "correlation_id": {"type": "string"}
      }
    },
    "PermissionDenied": {
      "type": "object",
      "required": ["type", "title", "status", "detail", "instance", "code", "reason",
                   "correlation_id"],
      "properties": {
        "type": {"type": "string"}, "title": {"type": "string"},
        "status": {"type": "integer", "const": 403},
        "detail": {"type": "string"}, "instance": {"type": "string"}, "code": {"type": "string"},
        "reason": {"type": "string",
                   "enum": ["out_of_scope", "insufficient_relation", "caveat_violation"]},
        "relation_path": {"type": "array", "items": {"type": "string"}},
        "correlation_id": {"type": "string"}
      }
    }
  }
})";
constexpr auto kSharedOwner = "meta";

// Path templates differ only in what they call their parameters: "/v1/a/{id}" is "/v1/a/{b}".
std::string shape_of(const std::string& path) {
  static const std::regex parameter("\\{[^}]*\\}");
  return std::regex_replace(path, parameter, "{}");
}

// The host checks who asks before any context is asked, so that every operation that is not public
// may answer these, whatever its context says. A Node's own key needs no relation and no audit row.
void add_outages(Json& operation) {
  if (!operation.is_object() || !operation.value("responses", Json::object()).is_object()) {
    return;  // a path item's parameters, or a stranger's mistake, which is published as it is
  }
  const Json security = operation.value("security", Json());
  if (security.is_array() && security.empty()) {
    return;
  }
  Json& outage = operation["responses"]["503"];
  if (!outage.is_object()) {
    outage = Json{
        {"description", ""},
        {"content",
         {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  }
  const Json said = outage.value("description", Json());
  std::string text = said.is_string() ? said.get<std::string>() : std::string();
  std::vector<std::string> codes{"authn_unavailable"};
  if (security.dump() != R"([{"nsk":[]}])") {
    codes.insert(codes.end(), {"authz_unavailable", "audit_unavailable"});
  }
  for (const std::string& code : codes) {
    if (text.find(code) == std::string::npos) {
      text += (text.empty() ? "" : "; ") + code;
    }
  }
  outage["description"] = text;
}

class Merger {
 public:
  explicit Merger(std::string_view version) {
    document_ = Json{{"openapi", "3.1.0"},
                     {"info",
                      {{"title", "plexsphere"},
                       {"description", "The control plane of a WireGuard mesh."},
                       {"version", version}}},
                     {"servers", Json::array({Json{{"url", "/"}}})},
                     {"paths", Json::object()},
                     {"components", Json::object()}};
    add_components(kSharedOwner, Json::parse(kShared));
  }

  sdk::Status add(const ApiFragment& fragment) {
    const Json json = Json::parse(fragment.json, nullptr, false);
    const Json paths = member_of(json, "paths");
    const Json components = member_of(json, "components");
    if (!json.is_object() || !all_objects(paths) || !all_objects(components)) {
      return sdk::Error{sdk::Code::invalid_argument, "openapi_fragment",
                        "openapi.json of plugin '" + fragment.plugin +
                            "' is not a JSON object with objects under paths and components."};
    }
    for (const auto& [path, item] : paths.items()) {
      add_path(fragment.plugin, path, item);
    }
    add_components(fragment.plugin, components);
    collect_references(fragment.plugin, json);
    return conflict_;
  }

  ApiDescription finish() const {
    ApiDescription out{document_.dump(), {}};
    for (const auto& [reference, plugin] : references_) {
      if (!document_.contains(Json::json_pointer(reference.substr(1)))) {
        out.dangling.push_back("plugin '" + plugin + "' refers to " + reference);
      }
    }
    return out;
  }

 private:
  // An empty object when it is absent.
  static Json member_of(const Json& json, const std::string& name) {
    return json.is_object() ? json.value(name, Json::object()) : Json::object();
  }

  static bool all_objects(const Json& json) {
    if (!json.is_object()) {
      return false;
    }
    for (const auto& [name, value] : json.items()) {
      if (!value.is_object()) {
        return false;
      }
    }
    return true;
  }

  void add_path(const std::string& plugin, const std::string& path, const Json& item) {
    for (const auto& [method, operation] : item.items()) {
      const auto claim = method + " " + shape_of(path);
      if (const auto [at, fresh] = owners_.try_emplace(claim, plugin); !fresh) {
        refuse(at->second, plugin, "the operation " + method + " " + path);
        return;
      }
      document_["paths"][path][method] = operation;
      add_outages(document_["paths"][path][method]);
    }
  }

  void add_components(const std::string& plugin, const Json& components) {
    for (const auto& [kind, named] : components.items()) {
      for (const auto& [name, component] : named.items()) {
        Json& place = document_["components"][kind][name];
        const auto [at, fresh] = owners_.try_emplace(kind + "/" + name, plugin);
        if (!fresh && nlohmann::json(place) != nlohmann::json(component)) {
          refuse(at->second, plugin, "components/" + kind + "/" + name);
          return;
        }
        place = component;
      }
    }
  }

  void collect_references(const std::string& plugin, const Json& json) {
    for (const auto& [name, value] : json.items()) {
      if (value.is_structured()) {
        collect_references(plugin, value);
      } else if (name == "$ref" && value.is_string() &&
                 value.get_ref<const std::string&>().starts_with("#/")) {
        references_.try_emplace(value.get<std::string>(), plugin);
      }
    }
  }

  void refuse(const std::string& first, const std::string& second, const std::string& what) {
    conflict_ = sdk::Error{sdk::Code::failed_precondition, "openapi_conflict",
                           "The plugins '" + first + "' and '" + second + "' both describe " +
                               what + ": rename it in one openapi.json or disable one plugin."};
  }

  Json document_;
  std::map<std::string, std::string> owners_;      // claim → plugin
  std::map<std::string, std::string> references_;  // "#/components/…" → plugin
  sdk::Status conflict_;
};

}  // namespace

sdk::Result<ApiDescription> merge_api(const std::vector<ApiFragment>& fragments,
                                      std::string_view version) {
  Merger merger(version);
  for (const ApiFragment& fragment : fragments) {
    if (auto added = merger.add(fragment); !added.ok()) {
      return added.error();
    }
  }
  return merger.finish();
}

}  // namespace plexsphere::meta
