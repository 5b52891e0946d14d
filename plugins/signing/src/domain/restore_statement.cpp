#include "domain/restore_statement.hpp"

#include <optional>

#include "domain/note_text.hpp"

namespace plexsphere::signing {
namespace {

// What follows `word` and a space on the next line; nothing for another line.
std::optional<std::string_view> take(std::string_view& rest, std::string_view word) {
  const std::string_view line = take_line(rest);
  if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ') {
    return std::nullopt;
  }
  return line.substr(word.size() + 1);
}

std::optional<std::uint64_t> take_number(std::string_view& rest, std::string_view word) {
  const auto text = take(rest, word);
  return text ? parse_decimal(*text) : std::nullopt;
}

std::optional<TreeHead> take_head(std::string_view& rest, std::string_view word) {
  const auto text = take(rest, word);
  const std::size_t space = text ? text->find(' ') : std::string_view::npos;
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  const auto size = parse_decimal(text->substr(0, space));
  const std::string_view root = text->substr(space + 1);
  return size && is_base64_of_32_bytes(root) ? std::optional(TreeHead{*size, root}) : std::nullopt;
}

bool is_reason(std::string_view text) {
  return !text.empty() && text.size() <= kMaxRestoreReason && text.front() != ' ' &&
         text.back() != ' ';
}

}  // namespace

Outcome<RestoreStatement> check_restore(std::string_view bytes) {
  const Fault refused{FaultKind::kInvariantViolation,
                      "a restore statement is seven lines: origin, \"restored\", epoch, before, "
                      "after, declared, reason"};
  if (bytes.size() > kMaxRestoreStatement || !bytes.ends_with('\n') || !is_plain_text(bytes)) {
    return refused;
  }
  std::string_view rest = bytes;
  RestoreStatement out;
  out.origin = take_line(rest);
  const bool named = !out.origin.empty() && take_line(rest) == "restored";
  const auto epoch = named ? take_number(rest, "epoch") : std::nullopt;
  const auto before = epoch ? take_head(rest, "before") : std::nullopt;
  const auto after = before ? take_head(rest, "after") : std::nullopt;
  const auto declared = after ? take_number(rest, "declared") : std::nullopt;
  const auto reason = declared ? take(rest, "reason") : std::nullopt;
  if (!reason || !rest.empty() || *epoch < 2 || !is_reason(*reason)) {
    return refused;
  }
  if (after->size > before->size || (after->size == before->size && *after != *before)) {
    return Fault{FaultKind::kInvariantViolation,
                 "a restore goes back: \"after\" is a checkpoint before \"before\", or the same"};
  }
  out.epoch = *epoch;
  out.before = *before;
  out.after = *after;
  out.declared_at = *declared;
  out.reason = *reason;
  return out;
}

}  // namespace plexsphere::signing
