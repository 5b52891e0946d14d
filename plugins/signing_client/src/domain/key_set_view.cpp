#include "domain/key_set_view.hpp"

#include <algorithm>
#include <charconv>

namespace plexsphere::signing_client {
namespace {

constexpr std::size_t kMaxDocumentBytes = 64 * 1024;
constexpr std::size_t kKeyHexLength = 64;

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

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole && value >= 0 ? std::optional(value) : std::nullopt;
}

std::optional<std::string> parse_key_bytes(std::string_view hex) {
  if (hex.size() != kKeyHexLength) {
    return std::nullopt;
  }
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (error != std::errc{} || end != hex.data() + i + 2) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

std::optional<KeyState> parse_state(std::string_view text) {
  if (text == "active") {
    return KeyState::kActive;
  }
  if (text == "rotating") {
    return KeyState::kRotating;
  }
  return text == "retired" ? std::optional(KeyState::kRetired) : std::nullopt;
}

// key <id> <state> <valid_from> <valid_until> <events> <checkpoints>
std::optional<KeyView> parse_key(const std::vector<std::string_view>& words) {
  if (words.size() != 7 || words[0] != "key") {
    return std::nullopt;
  }
  const auto state = parse_state(words[2]);
  auto events = parse_key_bytes(words[5]);
  auto checkpoints = parse_key_bytes(words[6]);
  if (!state || !events || !checkpoints) {
    return std::nullopt;
  }
  return KeyView{std::string(words[1]), *state, std::move(*events), std::move(*checkpoints)};
}

// rotation <old> <new> <opened_at> <closes_at>
std::optional<RotationView> parse_rotation(const std::vector<std::string_view>& words) {
  const auto closes_at = words.size() == 5 ? parse_number(words[4]) : std::nullopt;
  if (!closes_at) {
    return std::nullopt;
  }
  return RotationView{std::string(words[1]), std::string(words[2]), *closes_at};
}

// The second word of a line whose first is `name`.
std::optional<std::string_view> named_word(std::string_view line, std::string_view name) {
  const auto words = split_words(line);
  return words.size() == 2 && words[0] == name ? std::optional(words[1]) : std::nullopt;
}

}  // namespace

const KeyView& KeySetView::active() const {
  return *std::find_if(keys.begin(), keys.end(),
                       [](const KeyView& key) { return key.state == KeyState::kActive; });
}

std::optional<KeySetView> parse_key_set(std::string_view document) {
  std::string_view rest = document;
  if (document.size() > kMaxDocumentBytes || take(rest, '\n') != "plexsphere-key-set v1") {
    return std::nullopt;
  }
  const auto scope = named_word(take(rest, '\n'), "scope");
  const auto number_word = named_word(take(rest, '\n'), "number");
  const auto number = number_word ? parse_number(*number_word) : std::nullopt;
  if (!scope || !number || *number == 0) {
    return std::nullopt;
  }
  KeySetView set{std::string(*scope), *number, {}, std::nullopt};
  while (!rest.empty()) {
    const auto words = split_words(take(rest, '\n'));
    if (!words.empty() && words[0] == "rotation" && set.keys.empty() && !set.rotation) {
      set.rotation = parse_rotation(words);
      if (!set.rotation) {
        return std::nullopt;
      }
      continue;
    }
    auto key = parse_key(words);
    if (!key) {
      return std::nullopt;
    }
    set.keys.push_back(std::move(*key));
  }
  const auto active = std::count_if(set.keys.begin(), set.keys.end(), [](const KeyView& key) {
    return key.state == KeyState::kActive;
  });
  return active == 1 ? std::optional(std::move(set)) : std::nullopt;
}

bool looks_like_scope(std::string_view text) {
  constexpr std::string_view prefix = "domain:";
  return text == "platform" || (text.starts_with(prefix) && text.size() == prefix.size() + 36);
}

}  // namespace plexsphere::signing_client
