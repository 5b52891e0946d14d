// Declared settings and their checked values.
//
// A section of the configuration file is described by KeySpec values; what the operator wrote is
// checked against them once, at start, and handed on as Settings: typed, with defaults applied.
// The same shape serves the host's own sections and a plugin's `[config.<key>]` declarations.
//
// Thread safety: values, immutable after load. Ownership: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace plexsphere::host::config {

enum class KeyType {
  kString,
  kInteger,
  kBoolean,
  kDuration,  // text with a unit: "250ms", "30s", "5m", "2h", "7d"
  kStringList,
  kPath,        // absolute, or relative to the directory of the file that sets it
  kSecretFile,  // a path whose file must be readable now; the content is read when it is needed
};

const char* type_name(KeyType type) noexcept;

// A duration is held in milliseconds.
using Value = std::variant<std::string, std::int64_t, bool, std::chrono::milliseconds,
                           std::vector<std::string>>;

struct KeySpec {
  std::string name;
  KeyType type = KeyType::kString;
  std::optional<Value> default_value = std::nullopt;
  // Inclusive. For integers the number, for durations milliseconds, for strings the length in
  // bytes, for lists the number of items.
  std::optional<std::int64_t> minimum = std::nullopt;
  std::optional<std::int64_t> maximum = std::nullopt;
  bool required = false;
  std::string doc = {};
};

// One table of the host's own configuration, such as [database].
struct SectionSpec {
  std::string name;
  std::vector<KeySpec> keys;
};

// Where a value was written. `line` counts from 1; 0 means the file as a whole.
struct Location {
  std::string file;
  unsigned line = 0;

  std::string text() const;  // "file:line"
};

// Checked values of one section. A key that was neither set nor has a default is absent.
class Settings {
 public:
  bool has(std::string_view key) const { return values_.find(key) != values_.end(); }

  // Each requires that the key was declared with that type and is present; `has` tells. A wrong
  // question is a bug of the caller and throws std::logic_error.
  const std::string& string(std::string_view key) const;  // also kPath and kSecretFile
  std::int64_t integer(std::string_view key) const;
  bool boolean(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;
  const std::vector<std::string>& list(std::string_view key) const;

  // Where the operator set the key; nullopt when it is a default.
  std::optional<Location> where(std::string_view key) const;

  void put(std::string key, Value value, std::optional<Location> where);
  const std::map<std::string, Value, std::less<>>& values() const { return values_; }

 private:
  const Value& at(std::string_view key) const;

  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, Location, std::less<>> locations_;
};

}  // namespace plexsphere::host::config
