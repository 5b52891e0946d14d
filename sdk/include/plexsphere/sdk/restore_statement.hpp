// The statement by which a log is declared restored to an earlier point. It is signed as a
// checkpoint is, as the text of a C2SP signed note and under the same key.
//
//   plexsphere/audit/domain:0190a8b8-…             origin
//   restored
//   epoch 2                                        which begins with it, from 2
//   before 500 CsUYapGGPo4dkMgIAUqom/Xajj7h2fB…   the last checkpoint of the epoch before
//   after 100 1Yp1Xk6P5TzIN1M4OvZ6wQ6H2M4F0Kj…    the checkpoint from which the log goes on
//   declared 1767225600                            Unix seconds
//   reason database restored from the nightly backup
//
// Reading is strict: one statement has one spelling, and none is a checkpoint's, whose second line
// is a number. The signer reads it with code of its own.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plexsphere/sdk/checkpoint.hpp"

namespace plexsphere::sdk::inline v1 {

struct TreeHead {
  std::uint64_t size = 0;
  std::string root;  // 32 raw bytes
  friend bool operator==(const TreeHead&, const TreeHead&) = default;
};

struct RestoreStatement {
  std::string origin;
  std::uint64_t epoch = 2;
  TreeHead before;
  TreeHead after;
  std::uint64_t declared_at = 0;
  std::string reason;  // 1 to 200 printable ASCII characters, no space at either end
};

namespace restore_statement {

inline constexpr std::size_t kMost = 1024;  // bytes
inline constexpr std::size_t kMostReason = 200;

inline bool is_reason(std::string_view text) {
  return !text.empty() && text.size() <= kMostReason && text.front() != ' ' && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace restore_statement

inline std::string restore_text(const RestoreStatement& statement) {
  const auto head = [](const TreeHead& at) {
    return std::to_string(at.size) + " " + base64_encode(at.root) + "\n";
  };
  return statement.origin + "\nrestored\nepoch " + std::to_string(statement.epoch) + "\nbefore " +
         head(statement.before) + "after " + head(statement.after) + "declared " +
         std::to_string(statement.declared_at) + "\nreason " + statement.reason + "\n";
}

namespace detail {

// What follows `word` and a space on the next line.
inline std::optional<std::string_view> take_worded(std::string_view& rest, std::string_view word) {
  const auto line = take_note_line(rest);
  if (!line || !line->starts_with(word) || line->size() <= word.size() ||
      (*line)[word.size()] != ' ') {
    return std::nullopt;
  }
  return line->substr(word.size() + 1);
}

inline std::optional<std::uint64_t> take_number(std::string_view& rest, std::string_view word) {
  const auto text = take_worded(rest, word);
  return text ? tree_size(*text) : std::nullopt;
}

inline std::optional<TreeHead> take_head(std::string_view& rest, std::string_view word) {
  const auto text = take_worded(rest, word);
  const std::size_t space = text ? text->find(' ') : std::string_view::npos;
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  const auto size = tree_size(text->substr(0, space));
  auto root = base64_decode(text->substr(space + 1));
  return size && root && root->size() == merkle::kHashSize
             ? std::optional(TreeHead{*size, std::move(*root)})
             : std::nullopt;
}

}  // namespace detail

// Nothing unless it is exactly that.
inline std::optional<RestoreStatement> parse_restore(std::string_view text) {
  if (text.size() > restore_statement::kMost) {
    return std::nullopt;
  }
  const auto origin = detail::take_note_line(text);
  if (!origin || !detail::is_note_name(*origin) ||
      detail::take_note_line(text).value_or("") != "restored") {
    return std::nullopt;
  }
  const auto epoch = detail::take_number(text, "epoch");
  if (!epoch || *epoch < 2) {
    return std::nullopt;
  }
  auto before = detail::take_head(text, "before");
  if (!before) {
    return std::nullopt;
  }
  auto after = detail::take_head(text, "after");
  if (!after || after->size > before->size || (after->size == before->size && *after != *before)) {
    return std::nullopt;
  }
  const auto declared = detail::take_number(text, "declared");
  if (!declared) {
    return std::nullopt;
  }
  const auto reason = detail::take_worded(text, "reason");
  if (!reason || !restore_statement::is_reason(*reason) || !text.empty()) {
    return std::nullopt;
  }
  return RestoreStatement{std::string(*origin), *epoch,    std::move(*before),
                          std::move(*after),    *declared, std::string(*reason)};
}

}  // namespace plexsphere::sdk::inline v1
