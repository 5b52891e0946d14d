#include "host/config/egress_keys.hpp"

namespace plexsphere::host::config {

std::span<const KeySpec> egress_keys() {
  static const std::vector<KeySpec> keys{
      {.name = "egress",
       .type = KeyType::kStringList,
       .default_value = Value(std::vector<std::string>{}),
       .maximum = 32,
       .doc = "origins the context may send requests to"},
      {.name = "egress_ca_file",
       .type = KeyType::kPath,
       .doc = "PEM file of the authorities believed instead of the system's"},
      {.name = "egress_access_key_id",
       .minimum = 1,
       .maximum = 128,
       .doc = "name of the key that signs requests"},
      {.name = "egress_secret_key_file",
       .type = KeyType::kSecretFile,
       .doc = "file that holds the key that signs requests"},
      {.name = "egress_secret_key_credential",
       .minimum = 1,
       .maximum = 255,
       .doc = "name of a systemd credential that holds it"}};
  return keys;
}

bool is_host_key(std::string_view name) {
  return name == "enabled" || name == "egress" || name.starts_with("egress_");
}

void check_egress(const Settings& settings, const Location& heading, Issues& issues) {
  const auto where = [&](const char* key) { return settings.where(key).value_or(heading); };
  if (settings.has("egress")) {
    for (const auto& grant : settings.list("egress")) {
      if (!parse_origin(grant)) {
        issues.push_back({where("egress"), "'egress' has an item that is no origin", grant,
                          "write it as \"https://host:port\", without a path"});
      }
    }
  }
  const bool named = settings.has("egress_access_key_id");
  const int secrets = int{settings.has("egress_secret_key_file")} +
                      int{settings.has("egress_secret_key_credential")};
  if (secrets > (named ? 1 : 0)) {
    issues.push_back(
        {where(settings.has("egress_secret_key_file") ? "egress_secret_key_file"
                                                      : "egress_secret_key_credential"),
         named ? "the key that signs requests is named twice"
               : "there is a key that signs requests, but not its name",
         "",
         named ? "set one of egress_secret_key_file and egress_secret_key_credential"
               : "set egress_access_key_id"});
  } else if (named && secrets == 0) {
    issues.push_back({where("egress_access_key_id"), "the key that signs requests is missing", "",
                      "set egress_secret_key_file or egress_secret_key_credential"});
  }
}

std::vector<Origin> granted_origins(const Settings& settings) {
  std::vector<Origin> out;
  if (settings.has("egress")) {
    for (const auto& grant : settings.list("egress")) {
      if (auto origin = parse_origin(grant)) {
        out.push_back(std::move(*origin));
      }
    }
  }
  return out;
}

}  // namespace plexsphere::host::config
