#include "contract/api_document.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <stdexcept>

#include "support/http_client.hpp"

namespace plexsphere::contract {

using nlohmann::json;

namespace {

constexpr std::array kMethods{"get", "put", "post", "delete", "patch", "head", "options"};

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::vector<std::string> segments_of(const std::string& path) {
  std::vector<std::string> out;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    out.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

bool is_parameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

const json& resolved(const json& document, const json& value) {
  if (!value.is_object() || !value.contains("$ref")) {
    return value;
  }
  const std::string reference = value["$ref"];
  const json::json_pointer pointer(reference.substr(1));
  if (!reference.starts_with("#/") || !document.contains(pointer)) {
    throw std::runtime_error("the API document refers to " + reference + ", which is not there");
  }
  return document.at(pointer);
}

void resolve_all(const json& document, json& object) {
  for (json& member : object) {
    member = resolved(document, member);
  }
}

Operation read_operation(const json& document, const std::string& path, const json& item,
                         const std::string& method) {
  Operation operation{item[method].value("operationId", ""), upper(method), path, item[method], {}};
  if (operation.id.empty()) {
    throw std::runtime_error(operation.method + " " + path + " has no operationId");
  }
  for (const json& list : {item.value("parameters", json::array()),
                           operation.object.value("parameters", json::array())}) {
    for (const json& parameter : list) {
      operation.parameters.push_back(resolved(document, parameter));
    }
  }
  if (operation.object.contains("requestBody")) {
    operation.object["requestBody"] = resolved(document, operation.object["requestBody"]);
  }
  for (auto& [status, response] : operation.object["responses"].items()) {
    response = resolved(document, response);
    if (response.contains("headers")) {
      resolve_all(document, response["headers"]);
    }
  }
  return operation;
}

}  // namespace

ApiDocument::ApiDocument(const json& document)
    : answers_(std::make_unique<SchemaSet>(document, Unlisted::refused)),
      requests_(std::make_unique<SchemaSet>(document, Unlisted::allowed)) {
  if (!document.value("openapi", "").starts_with("3.1")) {
    throw std::runtime_error("the document is not OpenAPI 3.1");
  }
  std::set<std::string> ids;
  for (const auto& [path, item] : document.at("paths").items()) {
    for (const char* method : kMethods) {
      if (item.contains(method)) {
        operations_.push_back(read_operation(document, path, item, method));
        if (!ids.insert(operations_.back().id).second) {
          throw std::runtime_error("the operationId " + operations_.back().id + " stands twice");
        }
      }
    }
  }
}

ApiDocument ApiDocument::of_server(const std::string& base_url) {
  const auto answer = test_support::HttpClient().request("GET", base_url + "/v1/openapi.json");
  if (answer.status != 200) {
    throw std::runtime_error("the API document answers " + std::to_string(answer.status));
  }
  return ApiDocument(json::parse(answer.body));
}

std::optional<Match> ApiDocument::match(const std::string& method, const std::string& path) const {
  const auto asked = segments_of(path);
  std::optional<Match> best;
  for (const Operation& operation : operations_) {
    const auto segments = segments_of(operation.path);
    if (operation.method != method || segments.size() != asked.size()) {
      continue;
    }
    Match match{&operation, {}};
    bool fits = true;
    for (std::size_t i = 0; fits && i < asked.size(); ++i) {
      if (is_parameter(segments[i])) {
        match.path_values[segments[i].substr(1, segments[i].size() - 2)] = asked[i];
      } else {
        fits = segments[i] == asked[i];
      }
    }
    if (fits && (!best || match.path_values.size() < best->path_values.size())) {
      best = std::move(match);
    }
  }
  return best;
}

const Operation* ApiDocument::find(const std::string& operation_id) const {
  const auto found = std::ranges::find(operations_, operation_id, &Operation::id);
  return found == operations_.end() ? nullptr : &*found;
}

}  // namespace plexsphere::contract
