// Strict reading of JSON bodies, for plugins that include nlohmann's json; the SDK itself needs no
// JSON library and includes this header nowhere.
//
// Strict means: UTF-8, one document, no duplicate members, nesting at most 32, and (BodyReader)
// no unknown members, exact types, bounds in characters.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/time.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::sdk::inline v1 {

using Json = nlohmann::json;

namespace detail {

// Refuses what Json::parse would take silently: duplicate members and deep nesting.
class StrictCallback {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using E = Json::parse_event_t;
    if (event == E::object_start) {
      keys_.emplace_back();
    } else if (event == E::object_end && !keys_.empty()) {
      keys_.pop_back();
    } else if (event == E::key && !keys_.back().insert(parsed.get<std::string>()).second) {
      problem_ = "member \"" + parsed.get<std::string>() + "\" appears twice";
    }
    if (depth > 32) {
      problem_ = "nesting is deeper than 32";
    }
    return true;
  }
  const std::string& problem() const { return problem_; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::string problem_;
};

inline std::size_t characters(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) {
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return count;
}

}  // namespace detail

// Parses a whole body. INVALID_ARGUMENT, reason "invalid_body", with what is wrong; never its
// values.
inline Result<Json> parse_json(std::string_view body) {
  detail::StrictCallback strict;
  Json out = Json::parse(body.begin(), body.end(), std::ref(strict), false);
  if (out.is_discarded()) {
    return Error{Code::invalid_argument, "invalid_body", "The body is not well-formed JSON."};
  }
  if (!strict.problem().empty()) {
    return Error{Code::invalid_argument, "invalid_body",
                 "The body is refused: " + strict.problem() + "."};
  }
  return out;
}

// Reads the members of one object, remembers the first fault, and names members nobody asked for.
//
//   BodyReader body(json);
//   auto name = body.text("name", 1, 255);
//   auto note = body.optional_text("note", 0, 1024);
//   if (auto fault = body.fault()) …            // also unknown members
class BodyReader {
 public:
  explicit BodyReader(const Json& object) : object_(object) {
    if (!object.is_object()) {
      fail("the body must be a JSON object");
    }
  }

  bool has(std::string_view name) const {
    return object_.is_object() && object_.contains(std::string(name));
  }

  // Required text of `min`..`max` characters.
  std::string text(std::string_view name, std::size_t min, std::size_t max) {
    const Json* value = required(name);
    return value == nullptr ? std::string{} : text_of(name, *value, min, max);
  }
  std::optional<std::string> optional_text(std::string_view name, std::size_t min,
                                           std::size_t max) {
    const Json* value = seen(name);
    return value == nullptr ? std::nullopt : std::optional(text_of(name, *value, min, max));
  }
  int64_t integer(std::string_view name, int64_t min, int64_t max) {
    const Json* value = required(name);
    return value == nullptr ? 0 : integer_of(name, *value, min, max);
  }
  std::optional<int64_t> optional_integer(std::string_view name, int64_t min, int64_t max) {
    const Json* value = seen(name);
    return value == nullptr ? std::nullopt : std::optional(integer_of(name, *value, min, max));
  }
  // Non-zero UUID.
  Uuid uuid(std::string_view name) {
    const Json* value = required(name);
    return value == nullptr ? Uuid{} : uuid_of(name, *value);
  }
  std::optional<Uuid> optional_uuid(std::string_view name) {
    const Json* value = seen(name);
    return value == nullptr ? std::nullopt : std::optional(uuid_of(name, *value));
  }
  Instant instant(std::string_view name) {
    const Json* value = required(name);
    const auto parsed = value != nullptr && value->is_string()
                            ? parse_rfc3339(value->get<std::string>())
                            : std::nullopt;
    if (value != nullptr && !parsed) {
      fail("\"" + std::string(name) + "\" must be an RFC 3339 time");
    }
    return parsed.value_or(Instant{});
  }
  // The member itself, whatever its type; null pointer when absent. Marks it as known.
  const Json* seen(std::string_view name) {
    known_.insert(std::string(name));
    if (!object_.is_object()) {
      return nullptr;
    }
    const auto at = object_.find(std::string(name));
    return at == object_.end() ? nullptr : &*at;
  }
  const Json* required(std::string_view name) {
    const Json* value = seen(name);
    if (value == nullptr) {
      fail("\"" + std::string(name) + "\" is missing");
    }
    return value;
  }

  void fail(std::string what) {
    if (!fault_) {
      fault_ = std::move(what);
    }
  }

  // The first fault in words fit for a problem's detail, unknown members included.
  std::optional<std::string> fault() {
    if (!fault_) {
      for (const auto& [name, value] : object_.items()) {
        if (!known_.contains(name)) {
          fail("\"" + name.substr(0, 64) + "\" is not a member of this request");
          break;
        }
      }
    }
    return fault_;
  }
  // As fault, but members nobody asked for are tolerated.
  const std::optional<std::string>& fault_ignoring_unknown() const { return fault_; }

 private:
  std::string text_of(std::string_view name, const Json& value, std::size_t min, std::size_t max) {
    if (!value.is_string()) {
      fail("\"" + std::string(name) + "\" must be a string");
      return {};
    }
    auto text = value.get<std::string>();
    const std::size_t length = detail::characters(text);
    if (length < min || length > max || text.find('\0') != std::string::npos) {
      fail("\"" + std::string(name) + "\" must have " + std::to_string(min) + " to " +
           std::to_string(max) + " characters and no NUL");
    }
    return text;
  }
  int64_t integer_of(std::string_view name, const Json& value, int64_t min, int64_t max) {
    const bool fits = value.is_number_integer() &&
                      !(value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX);
    if (!fits || value.get<int64_t>() < min || value.get<int64_t>() > max) {
      fail("\"" + std::string(name) + "\" must be an integer from " + std::to_string(min) + " to " +
           std::to_string(max));
      return 0;
    }
    return value.get<int64_t>();
  }
  Uuid uuid_of(std::string_view name, const Json& value) {
    const auto parsed = value.is_string() ? Uuid::parse(value.get<std::string>()) : std::nullopt;
    if (!parsed || parsed->is_zero()) {
      fail("\"" + std::string(name) + "\" must be a non-zero UUID");
    }
    return parsed.value_or(Uuid{});
  }

  const Json& object_;
  std::set<std::string> known_;
  std::optional<std::string> fault_;
};

}  // namespace plexsphere::sdk::inline v1
