#include "host/config/manifest.hpp"

#include <array>
#include <optional>
#include <regex>
#include <set>

#include "host/config/egress_keys.hpp"
#include "host/config/toml_check.hpp"

namespace plexsphere::host::config {
namespace {

using detail::Gathered;

constexpr std::size_t kLongestManifest = 256 * 1024;  // bytes
constexpr std::size_t kMostRoutes = 512;

const std::vector<KeySpec>& plugin_keys() {
  static const std::vector<KeySpec> keys{{.name = "id", .required = true},
                                         {.name = "version", .required = true},
                                         {.name = "abi", .required = true},
                                         {.name = "summary", .maximum = 400, .required = true}};
  return keys;
}

KeySpec list_key(std::string name) {
  return {.name = std::move(name),
          .type = KeyType::kStringList,
          .default_value = Value(std::vector<std::string>{}),
          .maximum = 128};
}

KeySpec flag_key(std::string name) {
  return {.name = std::move(name), .type = KeyType::kBoolean, .default_value = Value(false)};
}

const std::vector<KeySpec>& port_keys() {
  static const std::vector<KeySpec> keys{list_key("requires"), list_key("wants"),
                                         list_key("provides")};
  return keys;
}

const std::vector<KeySpec>& capability_keys() {
  static const std::vector<KeySpec> keys{flag_key("routes"), flag_key("schema"), flag_key("audit"),
                                         list_key("events"), list_key("egress")};
  return keys;
}

const std::vector<KeySpec>& route_keys() {
  static const std::vector<KeySpec> keys{
      {.name = "method", .required = true},
      {.name = "path", .required = true},
      {.name = "disabled_code", .required = true},
      {.name = "provisioned", .type = KeyType::kBoolean, .default_value = Value(true)}};
  return keys;
}

std::optional<KeyType> type_of(std::string_view name) {
  for (const KeyType type :
       {KeyType::kString, KeyType::kInteger, KeyType::kBoolean, KeyType::kDuration,
        KeyType::kStringList, KeyType::kPath, KeyType::kSecretFile}) {
    if (name == type_name(type)) {
      return type;
    }
  }
  return std::nullopt;
}

Gathered gathered_from(const toml::table& table) {
  Gathered out{detail::location_of(table), {}};
  for (const auto& [key, node] : table) {
    out.keys.emplace(std::string(key.str()), &node);
  }
  return out;
}

class ManifestReader {
 public:
  ManifestReader(const toml::table& root, ManifestResult& out) : root_(root), out_(out) {}

  void read() {
    for (const auto& [key, node] : root_) {
      static const std::set<std::string, std::less<>> known{"plugin", "ports", "capabilities",
                                                            "config", "routes"};
      if (known.find(key.str()) == known.end()) {
        issue(node, "a manifest has no '" + std::string(key.str()) + "'", "remove it");
      }
    }
    read_plugin();
    read_ports();
    read_capabilities();
    read_config();
    read_routes();
  }

 private:
  void issue(const toml::node& node, std::string what, std::string fix) {
    out_.issues.push_back(
        {detail::location_of(node), std::move(what), detail::shown(node), std::move(fix)});
  }

  Gathered section(const char* name) {
    const toml::node* node = root_.get(name);
    if (node != nullptr && node->is_table()) {
      return gathered_from(*node->as_table());
    }
    if (node != nullptr) {
      issue(*node, "'" + std::string(name) + "' must be a table",
            "write it as [" + std::string(name) + "]");
    }
    return {detail::location_of(root_), {}};
  }

  void match(const Gathered& where, const char* key, const std::string& value,
             const std::regex& pattern, const char* fix) {
    const auto node = where.keys.find(key);
    if (node != where.keys.end() && !value.empty() && !std::regex_match(value, pattern)) {
      issue(*node->second, "'" + std::string(key) + "' is badly formed", fix);
    }
  }

  static std::string text(const Settings& settings, const char* key) {
    return settings.has(key) ? settings.string(key) : std::string();
  }

  void read_plugin() {
    const Gathered written = section("plugin");
    const Settings settings = detail::check_keys(written, plugin_keys(), "[plugin]", out_.issues);
    Manifest& manifest = out_.manifest;
    manifest.id = text(settings, "id");
    manifest.version = text(settings, "version");
    manifest.summary = text(settings, "summary");
    static const std::regex id(R"([a-z][a-z0-9_.\-]{0,62})");
    static const std::regex version(R"([0-9]+\.[0-9]+\.[0-9]+([\-+][0-9A-Za-z.\-+]{1,20})?)");
    static const std::regex abi(R"(([0-9]{1,5})\.([0-9]{1,5}))");
    match(written, "id", manifest.id, id,
          "use a lower-case name such as \"identity\", at most 63 characters");
    match(written, "version", manifest.version, version,
          "use a semantic version such as \"1.0.0\"");
    const std::string abi_text = text(settings, "abi");
    match(written, "abi", abi_text, abi, "write major.minor, such as abi = \"1.0\"");
    std::smatch parts;
    if (std::regex_match(abi_text, parts, abi)) {
      manifest.abi = {static_cast<std::uint32_t>(std::stoul(parts[1])),
                      static_cast<std::uint32_t>(std::stoul(parts[2]))};
    }
  }

  void check_names(const Gathered& written, const char* key, const std::vector<std::string>& names,
                   const std::regex& pattern, const char* fix) {
    for (const auto& name : names) {
      if (!std::regex_match(name, pattern)) {
        issue(*written.keys.find(key)->second,
              "'" + std::string(key) + "' has the badly formed item '" + name + "'", fix);
      }
    }
  }

  void read_ports() {
    const Gathered written = section("ports");
    const Settings settings = detail::check_keys(written, port_keys(), "[ports]", out_.issues);
    static const std::regex port(R"([a-z][a-z0-9_.\-]{0,62}/[1-9][0-9]{0,3})");
    const std::array<std::pair<const char*, std::vector<std::string>*>, 3> lists{
        {{"requires", &out_.manifest.required_ports},
         {"wants", &out_.manifest.wanted_ports},
         {"provides", &out_.manifest.provided_ports}}};
    for (const auto& [key, target] : lists) {
      if (settings.has(key)) {
        *target = settings.list(key);
        check_names(written, key, *target, port, "name a port as \"px.audit/1\"");
      }
    }
  }

  void read_capabilities() {
    const Gathered written = section("capabilities");
    const Settings settings =
        detail::check_keys(written, capability_keys(), "[capabilities]", out_.issues);
    Capabilities& may = out_.manifest.capabilities;
    const std::array<std::pair<const char*, bool*>, 3> flags{
        {{"routes", &may.routes}, {"schema", &may.schema}, {"audit", &may.audit}}};
    for (const auto& [key, target] : flags) {
      *target = settings.has(key) && settings.boolean(key);
    }
    if (settings.has("events")) {
      may.events = settings.list("events");
    }
    if (settings.has("egress")) {
      may.egress = settings.list("egress");
    }
    for (const auto& origin : may.egress) {
      if (origin != kAnyOrigin && !parse_origin(origin)) {
        issue(*written.keys.find("egress")->second,
              "'egress' has the badly formed item '" + origin + "'",
              "name an origin as \"https://host:port\", or \"*\" for those the operator grants");
      }
    }
  }

  void read_config() {
    const toml::node* node = root_.get("config");
    if (node == nullptr) {
      return;
    }
    if (!node->is_table()) {
      issue(*node, "'config' must be a table", "write each key as [config.<key>]");
      return;
    }
    for (const auto& [key, declared] : *node->as_table()) {
      if (const auto* table = declared.as_table()) {
        read_config_key(std::string(key.str()), *table);
      } else {
        issue(declared, "'config." + std::string(key.str()) + "' must be a table",
              "write it as [config." + std::string(key.str()) + "]");
      }
    }
  }

  // A bound is an integer, or a duration where the key is one.
  std::optional<std::int64_t> bound(const toml::table& table, const char* name, KeyType type) {
    const toml::node* node = table.get(name);
    if (node == nullptr) {
      return std::nullopt;
    }
    if (type == KeyType::kDuration) {
      if (const auto value = detail::value_of(*node, type)) {
        return std::get<std::chrono::milliseconds>(*value).count();
      }
    } else if (const auto* number = node->as_integer()) {
      return number->get();
    }
    issue(
        *node, "'" + std::string(name) + "' does not fit the key's type",
        "write it as " + detail::example_of(type == KeyType::kDuration ? type : KeyType::kInteger));
    return std::nullopt;
  }

  void read_config_key(const std::string& name, const toml::table& table) {
    static const std::set<std::string, std::less<>> known{"type",    "default",  "minimum",
                                                          "maximum", "required", "doc"};
    for (const auto& [key, node] : table) {
      if (known.find(key.str()) == known.end()) {
        issue(node, "[config." + name + "] has no key '" + std::string(key.str()) + "'",
              "remove it");
      }
    }
    const auto type = type_of(table["type"].value_or(std::string_view()));
    if (!type || is_host_key(name)) {
      issue(table,
            is_host_key(name) ? "'" + name + "' is the host's own key"
                              : "[config." + name + "] needs a known type",
            is_host_key(name) ? "choose another name"
                              : "set type to string, integer, boolean, duration, string_list, path "
                                "or secret_file");
      return;
    }
    KeySpec spec{.name = name, .type = *type};
    spec.minimum = bound(table, "minimum", *type);
    spec.maximum = bound(table, "maximum", *type);
    spec.required = table["required"].value_or(false);
    spec.doc = table["doc"].value_or(std::string());
    if (const toml::node* node = table.get("default")) {
      spec.default_value = detail::value_of(*node, *type);
      if (!spec.default_value) {
        issue(*node, "the default of '" + name + "' is no " + std::string(type_name(*type)),
              "write it as default = " + detail::example_of(*type));
      }
    }
    out_.manifest.config_keys.push_back(std::move(spec));
  }

  void read_routes() {
    const toml::node* node = root_.get("routes");
    if (node == nullptr) {
      return;
    }
    const toml::array* routes = node->as_array();
    if (routes == nullptr || routes->size() > kMostRoutes) {
      issue(*node, "'routes' must be an array of at most 512 tables", "write each as [[routes]]");
      return;
    }
    for (const auto& route : *routes) {
      if (const auto* table = route.as_table()) {
        read_route(*table);
      }
    }
    if (!out_.manifest.routes.empty() && !out_.manifest.capabilities.routes) {
      issue(*node, "the manifest lists routes but does not ask for the capability",
            "set routes = true under [capabilities]");
    }
  }

  void read_route(const toml::table& table) {
    const Gathered written = gathered_from(table);
    const Settings settings = detail::check_keys(written, route_keys(), "[[routes]]", out_.issues);
    RouteDeclaration route{text(settings, "method"), text(settings, "path"),
                           text(settings, "disabled_code"),
                           !settings.has("provisioned") || settings.boolean("provisioned")};
    static const std::regex method("GET|POST|PUT|PATCH|DELETE");
    static const std::regex path(R"((/([A-Za-z0-9._~\-]+|\{[a-z][a-z0-9_]*\}))+|/)");
    static const std::regex code("[a-z][a-z0-9_]{0,63}");
    match(written, "method", route.method, method, "use GET, POST, PUT, PATCH or DELETE");
    match(written, "path", route.path, path, "write a path such as \"/v1/nodes/{node_id}/state\"");
    match(written, "disabled_code", route.disabled_code, code,
          "use a problem code such as \"capabilities_not_provisioned\"");
    for (const auto& other : out_.manifest.routes) {
      if (other.method == route.method && other.path == route.path) {
        issue(table, "the route is listed twice", "remove one");
      }
    }
    out_.manifest.routes.push_back(std::move(route));
  }

  const toml::table& root_;
  ManifestResult& out_;
};

ManifestResult syntax_error(const std::string& name, const toml::parse_error& error) {
  const auto line = static_cast<unsigned>(error.source().begin.line);
  return {{},
          {{{name, line},
            std::string(error.description()),
            "",
            line == 0 ? "ship a readable plugin.toml beside the plugin" : "correct the TOML"}}};
}

ManifestResult from_table(const toml::table& root) {
  ManifestResult result;
  ManifestReader(root, result).read();
  return result;
}

}  // namespace

ManifestResult parse_manifest(const std::string& text, const std::string& name) {
  if (text.size() > kLongestManifest) {
    return {{}, {{{name, 0}, "the manifest is larger than 262144 bytes", "", "shorten it"}}};
  }
  try {
    return from_table(toml::parse(text, name));
  } catch (const toml::parse_error& error) {
    return syntax_error(name, error);
  }
}

ManifestResult read_manifest(const std::filesystem::path& directory) {
  const std::string file = (directory / "plugin.toml").string();
  try {
    ManifestResult result = from_table(toml::parse_file(file));
    result.manifest.directory = directory;
    return result;
  } catch (const toml::parse_error& error) {
    return syntax_error(file, error);
  }
}

}  // namespace plexsphere::host::config
