#include "host/config/toml_check.hpp"

#include <algorithm>
#include <sstream>

#include "host/config/duration.hpp"
#include "host/config/nearest.hpp"
#include "host/config/secret_file.hpp"

namespace plexsphere::host::config::detail {
namespace {

std::int64_t measure(const Value& value) {
  struct Measure {
    std::int64_t operator()(const std::string& v) const {
      return static_cast<std::int64_t>(v.size());
    }
    std::int64_t operator()(std::int64_t v) const { return v; }
    std::int64_t operator()(bool v) const { return v ? 1 : 0; }
    std::int64_t operator()(std::chrono::milliseconds v) const { return v.count(); }
    std::int64_t operator()(const std::vector<std::string>& v) const {
      return static_cast<std::int64_t>(v.size());
    }
  };
  return std::visit(Measure{}, value);
}

std::string bound_text(const KeySpec& spec, std::int64_t bound) {
  switch (spec.type) {
    case KeyType::kDuration:
      return format_duration(std::chrono::milliseconds(bound));
    case KeyType::kString:
    case KeyType::kPath:
    case KeyType::kSecretFile:
      return std::to_string(bound) + " bytes";
    case KeyType::kStringList:
      return std::to_string(bound) + " items";
    default:
      return std::to_string(bound);
  }
}

std::optional<std::string> out_of_bounds(const KeySpec& spec, const Value& value) {
  const std::int64_t measured = measure(value);
  if (spec.minimum && measured < *spec.minimum) {
    return "set it to at least " + bound_text(spec, *spec.minimum);
  }
  if (spec.maximum && measured > *spec.maximum) {
    return "set it to at most " + bound_text(spec, *spec.maximum);
  }
  return std::nullopt;
}

// A relative path is meant relative to the file that sets it, not to wherever the process runs.
void resolve_path(Value& value, const Location& where) {
  auto& text = std::get<std::string>(value);
  std::filesystem::path path(text);
  if (!text.empty() && path.is_relative() && !where.file.empty()) {
    text = (std::filesystem::path(where.file).parent_path() / path).lexically_normal().string();
  }
}

void check_one(const KeySpec& spec, const toml::node& node, const std::string& heading,
               Settings& settings, Issues& issues) {
  const Location where = location_of(node);
  const std::string name = heading + " " + spec.name;
  auto value = value_of(node, spec.type);
  if (!value) {
    issues.push_back({where, name + " must be of type " + type_name(spec.type), shown(node),
                      "write it as " + spec.name + " = " + example_of(spec.type)});
    return;
  }
  if (spec.type == KeyType::kPath || spec.type == KeyType::kSecretFile) {
    resolve_path(*value, where);
  }
  if (auto fix = out_of_bounds(spec, *value)) {
    issues.push_back({where, name + " is out of bounds", shown(node), *fix});
    return;
  }
  if (spec.type == KeyType::kSecretFile) {
    const auto& path = std::get<std::string>(*value);
    if (auto problem = check_secret_file(path)) {
      issues.push_back({where, name + ": " + problem->what, path, problem->fix});
      return;
    }
  }
  settings.put(spec.name, std::move(*value), where);
}

}  // namespace

Location location_of(const toml::node& node) {
  const auto& source = node.source();
  return {source.path ? *source.path : std::string(), static_cast<unsigned>(source.begin.line)};
}

std::string shown(const toml::node& node) {
  std::ostringstream text;
  node.visit([&text](const auto& concrete) { text << concrete; });
  std::string out = text.str();
  std::replace(out.begin(), out.end(), '\n', ' ');
  constexpr std::size_t kLongest = 80;
  return out.size() > kLongest ? out.substr(0, kLongest) + "…" : out;
}

std::optional<Value> value_of(const toml::node& node, KeyType type) {
  switch (type) {
    case KeyType::kString:
    case KeyType::kPath:
    case KeyType::kSecretFile:
      if (const auto* text = node.as_string()) {
        return Value(text->get());
      }
      return std::nullopt;
    case KeyType::kInteger:
      if (const auto* number = node.as_integer()) {
        return Value(number->get());
      }
      return std::nullopt;
    case KeyType::kBoolean:
      if (const auto* flag = node.as_boolean()) {
        return Value(flag->get());
      }
      return std::nullopt;
    case KeyType::kDuration:
      if (const auto* text = node.as_string()) {
        if (const auto duration = parse_duration(text->get())) {
          return Value(*duration);
        }
      }
      return std::nullopt;
    case KeyType::kStringList:
      if (const auto* array = node.as_array()) {
        std::vector<std::string> items;
        for (const auto& item : *array) {
          const auto* text = item.as_string();
          if (text == nullptr) {
            return std::nullopt;
          }
          items.push_back(text->get());
        }
        return Value(std::move(items));
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::string example_of(KeyType type) {
  switch (type) {
    case KeyType::kString:
      return "\"text\"";
    case KeyType::kInteger:
      return "10";
    case KeyType::kBoolean:
      return "true or false";
    case KeyType::kDuration:
      return "\"30s\" (a whole number and ms, s, m, h or d)";
    case KeyType::kStringList:
      return "[\"one\", \"two\"]";
    case KeyType::kPath:
    case KeyType::kSecretFile:
      return "\"/path/to/file\"";
  }
  return "a value";
}

Settings check_keys(const Gathered& gathered, std::span<const KeySpec> specs,
                    const std::string& heading, Issues& issues) {
  Settings settings;
  std::vector<std::string> names;
  for (const auto& spec : specs) {
    names.push_back(spec.name);
    const auto written = gathered.keys.find(spec.name);
    if (written != gathered.keys.end()) {
      check_one(spec, *written->second, heading, settings, issues);
    } else if (spec.default_value) {
      settings.put(spec.name, *spec.default_value, std::nullopt);
    } else if (spec.required) {
      issues.push_back({gathered.heading, heading + " " + spec.name + " is required but not set",
                        "",
                        "add " + spec.name + " = " + example_of(spec.type) + " under " + heading});
    }
  }
  for (const auto& [name, node] : gathered.keys) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const auto close = nearest(name, names);
      issues.push_back({location_of(*node), heading + " has no key '" + name + "'", shown(*node),
                        close ? "did you mean '" + *close + "'?" : "remove it"});
    }
  }
  return settings;
}

}  // namespace plexsphere::host::config::detail
