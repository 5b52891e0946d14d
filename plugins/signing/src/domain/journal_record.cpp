#include "domain/journal_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "domain/scope.hpp"

namespace plexsphere::signing {
namespace {

constexpr std::string_view kMagic = "plexsphere-signer-journal";
constexpr std::string_view kVersion = "v1";
constexpr std::size_t kRecordWords = 11;
constexpr std::size_t kLineWords = kRecordWords + 2;
constexpr std::size_t kHeaderWords = 6;
constexpr std::size_t kMaxOutcome = 64;

template <std::size_t N>
using Words = std::array<std::string_view, N>;

// Exactly N words, one space between them.
template <std::size_t N>
std::optional<Words<N>> split(std::string_view line) {
  Words<N> words;
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t end = line.find(' ');
    if ((end == std::string_view::npos) != (i + 1 == N)) {
      return std::nullopt;
    }
    words[i] = line.substr(0, end);
    line.remove_prefix(i + 1 == N ? line.size() : end + 1);
  }
  return words;
}

// What was on the line before the word that begins at `word`, without the space.
std::string_view before(std::string_view line, std::string_view word) {
  return line.substr(0, static_cast<std::size_t>(word.data() - line.data()) - 1);
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool one_spelling = text == "0" || !text.starts_with('0');
  if (error != std::errc() || end != text.data() + text.size() || !one_spelling) {
    return std::nullopt;
  }
  return value;
}

bool is_rpc(std::string_view text) {
  return text == kRpcSign || text == kRpcPublicKey || text == kRpcOpenRotation ||
         text == kRpcCloseRotation || text == kRpcForceCloseRotation || text == kRpcLastCheckpoint;
}

bool is_scope_word(std::string_view text) {
  return text == "*" || text == "?" || Scope::parse(text).ok();
}

bool is_purpose_word(std::string_view text) {
  return text == "*" || text == "events" || text == "checkpoints" || text == "restores";
}

bool is_key_id_word(std::string_view text) {
  return text == "*" || text == "?" || is_key_id(text);
}

bool is_outcome(std::string_view text) {
  return !text.empty() && text.size() <= kMaxOutcome &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

std::string journal_scope(std::string_view text) {
  if (text.empty()) {
    return "*";
  }
  return Scope::parse(text).ok() ? std::string(text) : "?";
}

std::string journal_key_id(std::string_view text) {
  if (text.empty()) {
    return "*";
  }
  return is_key_id(text) ? std::string(text) : "?";
}

std::string journal_outcome(FaultKind kind) {
  constexpr std::string_view prefix = "signing: ";
  std::string word(status_detail(kind).substr(prefix.size()));
  std::replace(word.begin(), word.end(), ' ', '_');
  return word;
}

std::string journal_text(std::string_view instance, std::uint64_t seq,
                         const JournalRecord& record) {
  std::string text;
  text.reserve(kMaxJournalLine);
  text.append(instance);
  for (const std::string& word :
       {std::to_string(seq), std::to_string(record.at.time_since_epoch().count()),
        std::string(record.rpc), record.scope, record.purpose, record.key_id, record.outcome,
        std::to_string(record.key_set), std::to_string(record.messages), record.digest}) {
    text += ' ';
    text += word;
  }
  return text;
}

std::string journal_header_text(std::string_view instance, std::uint64_t first_seq,
                                std::string_view previous) {
  std::string text(kMagic);
  const std::string seq = std::to_string(first_seq);
  for (const std::string_view word : {kVersion, instance, std::string_view(seq), previous}) {
    text += ' ';
    text += word;
  }
  return text;
}

std::optional<JournalLine> parse_journal_line(std::string_view line) {
  if (line.size() >= kMaxJournalLine) {
    return std::nullopt;
  }
  const auto words = split<kLineWords>(line);
  if (!words) {
    return std::nullopt;
  }
  const auto& [instance, seq, at, rpc, scope, purpose, key_id, outcome, key_set, messages, digest,
               previous, hash] = *words;
  const auto seq_number = number(seq);
  const bool numbers =
      seq_number && *seq_number > 0 && number(at) && number(key_set) && number(messages);
  const bool names = is_rpc(rpc) && is_scope_word(scope) && is_purpose_word(purpose) &&
                     is_key_id_word(key_id) && is_outcome(outcome);
  const bool hashes = is_hex(instance, kInstanceHexDigits) && is_hex(digest, kHashHexDigits) &&
                      is_hex(previous, kHashHexDigits) && is_hex(hash, kHashHexDigits);
  if (!numbers || !names || !hashes) {
    return std::nullopt;
  }
  return JournalLine{before(line, previous), instance, *seq_number, rpc, outcome, previous, hash};
}

std::optional<JournalHeader> parse_journal_header(std::string_view line) {
  const auto words = line.size() < kMaxJournalLine ? split<kHeaderWords>(line) : std::nullopt;
  if (!words) {
    return std::nullopt;
  }
  const auto& [magic, version, instance, first_seq, previous, check] = *words;
  const auto seq = number(first_seq);
  if (magic != kMagic || version != kVersion || !is_hex(instance, kInstanceHexDigits) || !seq ||
      *seq == 0 || !is_hex(previous, kHashHexDigits) || !is_hex(check, kHashHexDigits)) {
    return std::nullopt;
  }
  return JournalHeader{before(line, check), instance, *seq, previous, check};
}

bool is_torn_line(std::string_view tail) {
  const std::size_t written = tail.find_last_not_of('\0') + 1;  // npos + 1 is 0: nothing but zeros
  const std::string_view text = tail.substr(0, written);
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x7f;
  });
  const auto spaces = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
  if (!plain || spaces >= kLineWords) {
    return false;
  }
  // A last word that is longer than a hash follows a whole line: there the newline is what is
  // wrong, and a crash does not write past it.
  return spaces + 1 < kLineWords || text.size() - (text.rfind(' ') + 1) <= kHashHexDigits;
}

}  // namespace plexsphere::signing
