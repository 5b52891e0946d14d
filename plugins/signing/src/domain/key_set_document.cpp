#include "domain/key_set_document.hpp"

#include <charconv>
#include <limits>

namespace plexsphere::signing {
namespace {

constexpr std::string_view kTitle = "plexsphere-key-set v1";

std::string_view state_name(KeyState state) {
  switch (state) {
    case KeyState::kActive:
      return "active";
    case KeyState::kRotating:
      return "rotating";
    case KeyState::kRetired:
      break;
  }
  return "retired";
}

std::optional<KeyState> parse_state(std::string_view text) {
  for (const KeyState state : {KeyState::kActive, KeyState::kRotating, KeyState::kRetired}) {
    if (text == state_name(state)) {
      return state;
    }
  }
  return std::nullopt;
}

std::string hex_text(const PublicKey& key) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(key.size() * 2);
  for (const std::uint8_t byte : key) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 0x0f]);
  }
  return text;
}

std::optional<PublicKey> parse_hex(std::string_view text) {
  PublicKey key{};
  if (text.size() != key.size() * 2) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* first = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(first, first + 2, key[i], 16);
    if (error != std::errc{} || end != first + 2) {
      return std::nullopt;
    }
  }
  return key;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    return std::nullopt;
  }
  return value;
}

std::optional<UnixSeconds> parse_time(std::string_view text) {
  const auto value = parse_number(text);
  if (!value) {
    return std::nullopt;
  }
  return UnixSeconds(std::chrono::seconds(*value));
}

std::string time_text(UnixSeconds time) {
  return std::to_string(time.time_since_epoch().count());
}

// Takes the text up to `stop` off the front of `rest`; without a stop it takes everything.
std::string_view take(std::string_view& rest, char stop) {
  const std::size_t end = rest.find(stop);
  const std::string_view head = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return head;
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    words.push_back(take(line, ' '));
  }
  return words;
}

std::optional<KeyEntry> parse_key(const std::vector<std::string_view>& words) {
  if (words.size() != 7) {
    return std::nullopt;
  }
  const auto state = parse_state(words[2]);
  const auto from = parse_time(words[3]);
  const auto until = parse_time(words[4]);
  const auto events = parse_hex(words[5]);
  const auto checkpoints = parse_hex(words[6]);
  if (!state || !from || !until || !events || !checkpoints) {
    return std::nullopt;
  }
  KeyEntry key{std::string(words[1]), *state, *from, std::nullopt, *events, *checkpoints};
  if (*until != UnixSeconds{}) {
    key.valid_until = *until;
  }
  return key;
}

std::optional<Rotation> parse_rotation(const std::vector<std::string_view>& words) {
  if (words.size() != 5) {
    return std::nullopt;
  }
  const auto opened = parse_time(words[3]);
  const auto closes = parse_time(words[4]);
  if (!opened || !closes) {
    return std::nullopt;
  }
  return Rotation{std::string(words[1]), std::string(words[2]), *opened, *closes};
}

Fault malformed() {
  return {FaultKind::kKeySetRejected, "the key-set document is not canonical"};
}

// Reads what the lines say; the caller checks that they say it the canonical way.
Outcome<KeySet> read_lines(std::string_view rest) {
  if (take(rest, '\n') != kTitle) {
    return malformed();
  }
  const auto scope_line = split_words(take(rest, '\n'));
  const auto number_line = split_words(take(rest, '\n'));
  if (scope_line.size() != 2 || number_line.size() != 2) {
    return malformed();
  }
  Outcome<Scope> scope = Scope::parse(scope_line[1]);
  const auto number = parse_number(number_line[1]);
  if (!scope.ok() || !number) {
    return malformed();
  }
  std::vector<KeyEntry> keys;
  std::optional<Rotation> rotation;
  while (!rest.empty()) {
    const auto words = split_words(take(rest, '\n'));
    if (!words.empty() && words[0] == "rotation" && !rotation) {
      rotation = parse_rotation(words);
      if (!rotation) {
        return malformed();
      }
      continue;
    }
    auto key = parse_key(words);
    if (!key) {
      return malformed();
    }
    keys.push_back(std::move(*key));
  }
  return KeySet::restore(std::move(scope).value(), static_cast<std::uint64_t>(*number),
                         std::move(keys), std::move(rotation));
}

}  // namespace

std::string encode_key_set(const KeySet& set) {
  std::string text(kTitle);
  text += "\nscope " + set.scope().text() + "\nnumber " + std::to_string(set.number()) + "\n";
  if (const auto& rotation = set.rotation()) {
    text += "rotation " + rotation->old_key_id + " " + rotation->new_key_id + " " +
            time_text(rotation->opened_at) + " " + time_text(rotation->closes_at) + "\n";
  }
  for (const KeyEntry& key : set.keys()) {
    text += "key " + key.key_id + " ";
    text += state_name(key.state);
    text += " " + time_text(key.valid_from) + " ";
    text += time_text(key.valid_until.value_or(UnixSeconds{}));
    text += " " + hex_text(key.events) + " " + hex_text(key.checkpoints) + "\n";
  }
  return text;
}

Outcome<KeySet> parse_key_set(std::string_view document) {
  if (document.size() > kMaxDocumentBytes) {
    return malformed();
  }
  Outcome<KeySet> set = read_lines(document);
  if (set.ok() && encode_key_set(set.value()) != document) {
    return malformed();
  }
  return set;
}

}  // namespace plexsphere::signing
