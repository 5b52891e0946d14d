#include "contract/draft7.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <string_view>

namespace plexsphere::contract {

using nlohmann::json;

namespace {

constexpr std::array<std::string_view, 18> kPlain{
    "type",        "enum",          "const",        "required", "minLength",
    "maxLength",   "pattern",       "minimum",      "maximum",  "exclusiveMinimum",
    "minItems",    "maxItems",      "multipleOf",   "$ref",     "exclusiveMaximum",
    "uniqueItems", "minProperties", "maxProperties"};
constexpr std::array<std::string_view, 8> kSubschema{
    "items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"};
// Of those, what asks about a value that another schema describes.
constexpr std::array<std::string_view, 4> kCondition{"not", "if", "then", "else"};
constexpr std::array<std::string_view, 3> kSubschemaList{"allOf", "anyOf", "oneOf"};
constexpr std::array<std::string_view, 2> kSubschemaMap{"properties", "patternProperties"};
// They say something to people, or to generators of code, and nothing about the value.
constexpr std::array<std::string_view, 13> kAnnotation{
    "description", "title",         "default",     "example",         "examples",
    "deprecated",  "readOnly",      "writeOnly",   "contentEncoding", "contentMediaType",
    "$comment",    "discriminator", "externalDocs"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// Of formats that are more than a hint. Times are RFC 3339 in UTC and ids lower-case, as the
// product's conventions have it.
const char* pattern_of(const std::string& format) {
  static const std::map<std::string, const char*> patterns{
      {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},
      {"date-time",
       "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:"
       "([0-5][0-9]|60)(\\.[0-9]+)?Z$"},
      {"date", "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
      {"http-date",
       "^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
       "[0-9]{2}:[0-9]{2}:[0-9]{2} GMT$"},
      {"byte", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"},
      {"base64", "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"},
      {"ipv4", "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$"},
      {"ipv6", "^[0-9a-f:.]*:[0-9a-f:.]*$"},
      {"email", "^[^@ ]+@[^@ ]+$"},
      {"uri", "^[A-Za-z][A-Za-z0-9+.-]*:[^ ]+$"},
      {"uri-reference", "^[^ ]+$"}};
  const auto found = patterns.find(format);
  return found == patterns.end() ? nullptr : found->second;
}

// Numbers carry their range in the type; 2^31 and 2^63 are not what these tests are about.
bool is_number_format(const std::string& format) {
  return format == "int32" || format == "int64" || format == "double" || format == "float";
}

class Translator {
 public:
  explicit Translator(Unlisted unlisted) : unlisted_(unlisted) {}

  // `part` is true inside an allOf, where one part may not speak for the whole object.
  json translate(const json& schema, const std::string& where, bool part) const {
    if (schema.is_boolean()) {
      return schema;
    }
    if (!schema.is_object()) {
      throw std::runtime_error(where + " is neither an object nor a boolean");
    }
    json out = json::object();
    for (const auto& [keyword, value] : schema.items()) {
      add(out, keyword, value, where + "/" + keyword);
    }
    if (unlisted_ == Unlisted::refused && !part && speaks_for_all_members(schema)) {
      out["additionalProperties"] = false;
    }
    return split_reference(std::move(out));
  }

 private:
  static bool speaks_for_all_members(const json& schema) {
    return schema.contains("properties") && !schema.contains("additionalProperties") &&
           !schema.contains("patternProperties") && !schema.contains("allOf") &&
           !schema.contains("anyOf") && !schema.contains("oneOf") && !schema.contains("$ref");
  }

  // Draft 7 ignores whatever stands beside a `$ref`.
  static json split_reference(json schema) {
    if (!schema.contains("$ref") || schema.size() == 1) {
      return schema;
    }
    const json reference{{"$ref", schema["$ref"]}};
    schema.erase("$ref");
    return {{"allOf", json::array({reference, schema})}};
  }

  void add(json& out, const std::string& keyword, const json& value,
           const std::string& where) const {
    if (among(kPlain, keyword)) {
      out[keyword] = value;
    } else if (among(kSubschema, keyword)) {
      out[keyword] = translate(value, where, among(kCondition, keyword));
    } else if (among(kSubschemaList, keyword)) {
      out[keyword] = translate_list(value, where, keyword == "allOf");
    } else if (among(kSubschemaMap, keyword)) {
      out[keyword] = json::object();
      for (const auto& [name, member] : value.items()) {
        out[keyword][name] = translate(member, where + "/" + name, false);
      }
    } else if (keyword == "prefixItems") {
      out["items"] = translate_list(value, where, false);
    } else if (keyword == "format") {
      add_format(out, value.get<std::string>(), where);
    } else if (!among(kAnnotation, keyword) && !keyword.starts_with("x-")) {
      throw std::runtime_error(where + ": the contract checker does not know this keyword");
    }
  }

  json translate_list(const json& list, const std::string& where, bool part) const {
    json out = json::array();
    for (const json& member : list) {
      out.push_back(translate(member, where + "/" + std::to_string(out.size()), part));
    }
    return out;
  }

  // In an allOf of its own, for a `pattern` may stand beside it.
  static void add_format(json& out, const std::string& format, const std::string& where) {
    if (const char* pattern = pattern_of(format)) {
      out["allOf"].push_back({{"pattern", pattern}});
    } else if (!is_number_format(format)) {
      throw std::runtime_error(where + ": the contract checker does not know the format '" +
                               format + "'");
    }
  }

  Unlisted unlisted_;
};

}  // namespace

json to_draft7(const json& schema, Unlisted unlisted, const std::string& where) {
  return Translator(unlisted).translate(schema, where, false);
}

}  // namespace plexsphere::contract
