#include "sim/envelope.hpp"

#include <sodium.h>

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::sim {

using nlohmann::json;

namespace {

constexpr auto kMostAge = std::chrono::minutes(5);
constexpr std::size_t kFractionDigits = 9;
constexpr std::string_view kWhite = " \t\r\n";

std::size_t skip_white(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(kWhite, at), text.size());
}

// Past the closing quote of the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    at += text[at] == '\\' ? 1 : 0;
  }
  return at + 1;
}

// Past the value that begins at `at`. Of valid JSON only.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (depth == 0) {  // a number, true, false, null
      return std::min(text.find_first_of(",}] \t\r\n", at), text.size());
    } else {
      depth -= c == '}' || c == ']' ? 1 : 0;
      ++at;
    }
    if (depth == 0) {
      return at;
    }
  }
  return at;
}

// The text of a member's value, spelled as it was sent; the last of that name. "null" when absent.
// Of valid JSON whose outermost value is an object.
std::string text_of_member(std::string_view object, const std::string& name) {
  std::string found = "null";
  std::size_t at = skip_white(object, skip_white(object, 0) + 1);
  while (object[at] != '}') {
    const std::size_t name_end = end_of_string(object, at);
    const auto here = json::parse(object.substr(at, name_end - at)).get<std::string>();
    const std::size_t value = skip_white(object, object.find(':', name_end) + 1);
    const std::size_t end = end_of_value(object, value);
    if (here == name) {
      found = object.substr(value, end - value);
    }
    at = skip_white(object, end);
    at = object[at] == ',' ? skip_white(object, at + 1) : at;
  }
  return found;
}

// Appends what Go's encoder escapes beyond what JSON asks for; how many bytes of `text` it took.
std::size_t escape_for_html(std::string_view text, std::string& out) {
  if (text[0] == '<' || text[0] == '>' || text[0] == '&') {
    out += text[0] == '<' ? "\\u003c" : text[0] == '>' ? "\\u003e" : "\\u0026";
    return 1;
  }
  if (text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9")) {
    out += text[2] == '\xA8' ? "\\u2028" : "\\u2029";
    return 3;
  }
  return 0;
}

// Go's json.Compact with HTML escaping.
std::string compact(std::string_view value) {
  std::string out;
  bool in_string = false;
  for (std::size_t at = 0; at < value.size();) {
    if (const std::size_t escaped = escape_for_html(value.substr(at), out)) {
      at += escaped;
      continue;
    }
    const char c = value[at++];
    if (in_string && c == '\\') {
      out.append({c, value[at++]});
      continue;
    }
    in_string = c == '"' ? !in_string : in_string;
    if (in_string || kWhite.find(c) == std::string_view::npos) {
      out.push_back(c);
    }
  }
  return out;
}

// A string as Go's encoder writes it.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t escaped = escape_for_html(text.substr(at), out)) {
      at += escaped;
      continue;
    }
    const auto c = static_cast<unsigned char>(text[at++]);
    if (c == '"' || c == '\\') {
      out.append({'\\', static_cast<char>(c)});
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out.append(c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else if (c < 0x20) {
      out.append("\\u00").append(sdk::hex_encode({reinterpret_cast<const char*>(&c), 1}));
    } else {
      out.push_back(static_cast<char>(c));
    }
  }
  return out + '"';
}

// With the shortest fraction, of nine digits at most, as Go's time.Time writes itself.
std::string shortest(std::string_view issued_at) {
  const auto dot = issued_at.find('.');
  if (dot == std::string_view::npos) {
    return std::string(issued_at);
  }
  std::string_view fraction = issued_at.substr(dot + 1, issued_at.size() - dot - 2);
  fraction = fraction.substr(0, kFractionDigits);
  const auto last = fraction.find_last_not_of('0');
  std::string out(issued_at.substr(0, dot));
  if (last != std::string_view::npos) {
    out.append(".").append(fraction.substr(0, last + 1));
  }
  return out + "Z";
}

std::string text_member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) {
    return {};
  }
  if (!found->is_string()) {
    throw std::invalid_argument(std::string("\"") + name + "\" of an envelope is no string");
  }
  return found->get<std::string>();
}

// For members that an agent forgives.
std::string text_or_empty(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string key_bytes(const std::string& base64) {
  auto bytes = sdk::base64_decode(base64);
  return bytes && bytes->size() == crypto_sign_PUBLICKEYBYTES ? *bytes : std::string();
}

const unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Envelope parse_envelope(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    throw std::invalid_argument("an envelope is no JSON object");
  }
  Envelope out{text_member(object, "id"),        text_member(object, "type"),
               text_member(object, "scope"),     text_member(object, "key_id"),
               text_member(object, "issued_at"), text_of_member(text, "payload"),
               text_member(object, "signature")};
  const bool dated = !out.issued_at.empty();
  if (dated && (!sdk::parse_rfc3339(out.issued_at) || !out.issued_at.ends_with('Z'))) {
    throw std::invalid_argument("\"issued_at\" of an envelope is no time in UTC: " + out.issued_at);
  }
  return out;
}

std::string canonical_bytes(const Envelope& envelope) {
  return "{\"id\":" + json_string(envelope.id) + ",\"type\":" + json_string(envelope.type) +
         ",\"scope\":" + json_string(envelope.scope) +
         ",\"key_id\":" + json_string(envelope.key_id) +
         ",\"issued_at\":" + json_string(shortest(envelope.issued_at)) +
         ",\"payload\":" + compact(envelope.payload) + "}";
}

std::string_view text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGenuine:
      return "genuine";
    case Verdict::kUnsigned:
      return "without a signature";
    case Verdict::kUndated:
      return "without issued_at";
    case Verdict::kStale:
      return "more than five minutes old";
    case Verdict::kFromTheFuture:
      return "more than five minutes ahead";
    case Verdict::kUnknownKey:
      return "signed with a key that nobody has told";
    case Verdict::kForged:
      return "with a signature that is not of these bytes";
  }
  return "";
}

EnvelopeVerifier::EnvelopeVerifier(std::string key_id, const std::string& public_key)
    : current_{std::move(key_id), key_bytes(public_key), {}} {
  if (current_.bytes.empty()) {
    throw std::invalid_argument("a signing key is base64 of 32 bytes, which this is not: " +
                                public_key);
  }
}

const EnvelopeVerifier::Key* EnvelopeVerifier::key_for(const std::string& id,
                                                       sdk::Instant now) const {
  if (id.empty()) {
    return nullptr;
  }
  if (id == current_.id) {
    return &current_;
  }
  return previous_ && id == previous_->id && now <= previous_->good_till ? &*previous_ : nullptr;
}

Verdict EnvelopeVerifier::verify(const Envelope& envelope, sdk::Instant now) const {
  if (envelope.signature.empty()) {
    return Verdict::kUnsigned;
  }
  const auto issued = sdk::parse_rfc3339(envelope.issued_at);
  if (!issued) {
    return Verdict::kUndated;
  }
  if (now - *issued > kMostAge) {
    return Verdict::kStale;
  }
  if (*issued - now > kMostAge) {
    return Verdict::kFromTheFuture;
  }
  const Key* key = key_for(envelope.key_id, now);
  if (key == nullptr) {
    return Verdict::kUnknownKey;
  }
  const auto signature = sdk::base64_decode(envelope.signature);
  const std::string bytes = canonical_bytes(envelope);
  const bool genuine = signature && signature->size() == crypto_sign_BYTES &&
                       crypto_sign_verify_detached(bytes_of(*signature), bytes_of(bytes),
                                                   bytes.size(), bytes_of(key->bytes)) == 0;
  return genuine ? Verdict::kGenuine : Verdict::kForged;
}

bool EnvelopeVerifier::rotate(const Envelope& envelope) {
  const json payload = json::parse(envelope.payload);
  if (!payload.is_object()) {
    return false;
  }
  Key next{text_or_empty(payload, "key_id"), key_bytes(text_or_empty(payload, "public_key")), {}};
  if (next.id.empty() || next.bytes.empty()) {
    return false;
  }
  const auto deadline = sdk::parse_rfc3339(text_or_empty(payload, "transition_expires"));
  const std::string named = text_or_empty(payload, "previous_key_id");
  std::optional<Key> kept;
  if (deadline && named == current_.id) {
    kept = std::move(current_);
  } else if (deadline && previous_ && named == previous_->id) {
    kept = std::move(previous_);
  }
  if (kept) {
    kept->good_till = *deadline;
  }
  previous_ = std::move(kept);
  current_ = std::move(next);
  return true;
}

}  // namespace plexsphere::sim
