#include "host/config/settings.hpp"

#include <stdexcept>

#include "host/config/issue.hpp"

namespace plexsphere::host::config {

const char* type_name(KeyType type) noexcept {
  switch (type) {
    case KeyType::kString:
      return "string";
    case KeyType::kInteger:
      return "integer";
    case KeyType::kBoolean:
      return "boolean";
    case KeyType::kDuration:
      return "duration";
    case KeyType::kStringList:
      return "string_list";
    case KeyType::kPath:
      return "path";
    case KeyType::kSecretFile:
      return "secret_file";
  }
  return "unknown";
}

std::string Location::text() const {
  return line == 0 ? file : file + ":" + std::to_string(line);
}

std::string Issue::text() const {
  std::string out = where.text() + ": " + what;
  if (!value.empty()) {
    out += " (" + value + ")";
  }
  return out + ": " + fix;
}

const Value& Settings::at(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    throw std::logic_error("setting '" + std::string(key) + "' was read but is absent");
  }
  return found->second;
}

const std::string& Settings::string(std::string_view key) const {
  return std::get<std::string>(at(key));
}

std::int64_t Settings::integer(std::string_view key) const {
  return std::get<std::int64_t>(at(key));
}

bool Settings::boolean(std::string_view key) const {
  return std::get<bool>(at(key));
}

std::chrono::milliseconds Settings::duration(std::string_view key) const {
  return std::get<std::chrono::milliseconds>(at(key));
}

const std::vector<std::string>& Settings::list(std::string_view key) const {
  return std::get<std::vector<std::string>>(at(key));
}

std::optional<Location> Settings::where(std::string_view key) const {
  const auto found = locations_.find(key);
  return found == locations_.end() ? std::nullopt : std::optional(found->second);
}

void Settings::put(std::string key, Value value, std::optional<Location> where) {
  if (where) {
    locations_.insert_or_assign(key, std::move(*where));
  }
  values_.insert_or_assign(std::move(key), std::move(value));
}

}  // namespace plexsphere::host::config
