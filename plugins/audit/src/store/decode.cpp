#include "store/decode.hpp"

#include <nlohmann/json.hpp>

namespace plexsphere::audit {
namespace {

using Json = nlohmann::json;

std::vector<std::pair<std::string, std::vector<std::string>>> caveats(const Json& object) {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const auto& [name, parameters] : object.items()) {
    out.emplace_back(name, parameters.get<std::vector<std::string>>());
  }
  return out;
}

}  // namespace

std::optional<DecodedEntry> decode(std::string_view canonical) {
  const Json json = Json::parse(canonical.begin(), canonical.end(), nullptr, false);
  if (!json.is_object()) {
    return std::nullopt;
  }
  try {
    const auto instant = sdk::parse_rfc3339(json.at("occurred_at").get<std::string>());
    if (json.at("v").get<int>() != 1 || !instant) {
      return std::nullopt;
    }
    const auto text = [&](const char* name) { return json.at(name).get<std::string>(); };
    return DecodedEntry{text("chain"),
                        *instant,
                        text("reason"),
                        text("relation"),
                        text("object_type"),
                        text("object_id"),
                        text("subject_pseudonym"),
                        text("correlation_id"),
                        caveats(json.at("caveat_context"))};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace plexsphere::audit
