#include "domain/message_check.hpp"

#include <algorithm>
#include <optional>

#include "domain/json_scanner.hpp"
#include "domain/note_text.hpp"
#include "domain/restore_statement.hpp"

namespace plexsphere::signing {
namespace {

constexpr std::size_t kMaxHeaderString = 256;

Fault refused(std::string cause) {
  return {FaultKind::kInvariantViolation, std::move(cause)};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The number that `width` digits at `at` spell, or -1.
int digits(std::string_view text, std::size_t at, std::size_t width) {
  int value = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (i >= text.size() || !is_digit(text[i])) {
      return -1;
    }
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

bool in_range(int value, int low, int high) {
  return value >= low && value <= high;
}

bool is_date(std::string_view text) {
  const std::chrono::year_month_day date{
      std::chrono::year(digits(text, 0, 4)),
      std::chrono::month(static_cast<unsigned>(digits(text, 5, 2))),
      std::chrono::day(static_cast<unsigned>(digits(text, 8, 2)))};
  return digits(text, 0, 4) >= 0 && digits(text, 5, 2) > 0 && digits(text, 8, 2) > 0 &&
         text[4] == '-' && text[7] == '-' && date.ok();
}

bool is_clock(std::string_view text) {
  return text[2] == ':' && in_range(digits(text, 0, 2), 0, 23) &&
         in_range(digits(text, 3, 2), 0, 59);
}

// Fraction as Go writes it: one to nine digits, the last not zero; or none, and no dot.
std::optional<std::size_t> fraction_length(std::string_view text) {
  if (!text.starts_with('.')) {
    return 0;
  }
  const auto end = std::find_if_not(text.begin() + 1, text.end(), is_digit);
  const auto length = static_cast<std::size_t>(end - text.begin());
  if (length < 2 || length > 10 || text[length - 1] == '0') {
    return std::nullopt;
  }
  return length;
}

bool is_zone(std::string_view text) {
  if (text == "Z") {
    return true;
  }
  return text.size() == 6 && (text[0] == '+' || text[0] == '-') && is_clock(text.substr(1)) &&
         text.substr(1) != "00:00";
}

// RFC 3339 in the one spelling Go's encoder gives it: shortest fraction, Z for offset zero.
bool is_canonical_time(std::string_view text) {
  if (text.size() < 20 || text[10] != 'T' || !is_date(text) || !is_clock(text.substr(11)) ||
      text[16] != ':' || !in_range(digits(text, 17, 2), 0, 59)) {
    return false;
  }
  const std::string_view rest = text.substr(19);
  const auto fraction = fraction_length(rest);
  return fraction && is_zone(rest.substr(*fraction));
}

// "begins <number> <hash>", of a log of `size` entries.
bool is_beginning(std::string_view line, std::uint64_t size) {
  line.remove_prefix(std::string_view("begins ").size());
  const std::size_t space = std::min(line.find(' '), line.size());
  const auto seq = parse_decimal(line.substr(0, space));
  return seq && *seq > 0 && *seq <= size && space < line.size() &&
         is_base64_of_32_bytes(line.substr(space + 1));
}

// The epoch that extension lines name, from 1. Nothing where "epoch" or "begins" stand elsewhere
// than first, in this order, or are spelled otherwise.
std::optional<std::uint64_t> epoch_of(std::string_view extensions, std::uint64_t size) {
  std::uint64_t epoch = 1;
  bool may_be_epoch = true;
  bool may_begin = true;
  while (!extensions.empty()) {
    const std::string_view line = take_line(extensions);
    if (line.starts_with("epoch ")) {
      const auto named = parse_decimal(line.substr(std::string_view("epoch ").size()));
      if (!may_be_epoch || !named || *named < 2) {
        return std::nullopt;
      }
      epoch = *named;
    } else {
      if (line.starts_with("begins ") && (!may_begin || !is_beginning(line, size))) {
        return std::nullopt;
      }
      may_begin = false;
    }
    may_be_epoch = false;
  }
  return epoch;
}

}  // namespace

Outcome<EventHeader> check_event(std::string_view bytes) {
  JsonScanner scan(bytes);
  const auto member = [&scan](std::string_view name) -> std::optional<std::string_view> {
    auto text = scan.literal(name) ? scan.string(Escapes::kMinimal) : std::nullopt;
    return text && text->size() <= kMaxHeaderString ? text : std::nullopt;
  };
  const auto id = member("{\"id\":");
  const auto type = id ? member(",\"type\":") : std::nullopt;
  const auto scope = type ? member(",\"scope\":") : std::nullopt;
  const auto key_id = scope ? member(",\"key_id\":") : std::nullopt;
  const auto issued_at = key_id ? member(",\"issued_at\":") : std::nullopt;
  if (!issued_at || id->empty() || type->empty() || !is_canonical_time(*issued_at)) {
    return refused("the message does not start as the canonical bytes of an event envelope");
  }
  if (!scan.literal(",\"payload\":") || !scan.object_or_null() || !scan.literal("}") ||
      !scan.at_end()) {
    return refused("the event's payload is not an object in canonical form");
  }
  return EventHeader{*scope, *key_id};
}

Outcome<CheckpointNote> check_checkpoint(std::string_view bytes) {
  if (!bytes.ends_with('\n') || !is_plain_text(bytes)) {
    return refused("a checkpoint note is printable ASCII lines, each ended by a newline");
  }
  std::string_view rest = bytes;
  const std::string_view origin = take_line(rest);
  const std::string_view size = take_line(rest);
  const std::string_view root = take_line(rest);
  const auto leaves = parse_decimal(size);
  if (origin.empty() || !leaves || !is_base64_of_32_bytes(root)) {
    return refused("a checkpoint note is an origin, a tree size and a base64 root hash");
  }
  const auto epoch = epoch_of(rest, *leaves);
  if (!epoch) {
    return refused(
        "a checkpoint note names its epoch, from 2 on, and what it begins after in the "
        "lines after its root, in this order");
  }
  while (!rest.empty()) {
    if (take_line(rest).empty()) {
      return refused("a checkpoint note has no empty line");
    }
  }
  return CheckpointNote{origin, *leaves, root, *epoch};
}

namespace {

Outcome<std::string_view> origin_of(Purpose purpose, std::string_view bytes) {
  if (purpose == Purpose::kRestores) {
    const Outcome<RestoreStatement> statement = check_restore(bytes);
    return statement.ok() ? Outcome<std::string_view>(statement.value().origin) : statement.fault();
  }
  const Outcome<CheckpointNote> note = check_checkpoint(bytes);
  return note.ok() ? Outcome<std::string_view>(note.value().origin) : note.fault();
}

}  // namespace

Outcome<Done> check_message(Purpose purpose, std::string_view bytes, const Scope& scope,
                            std::string_view key_id) {
  if (bytes.size() > kMaxMessageBytes) {
    return refused("a message has at most 61440 bytes");
  }
  if (purpose != Purpose::kEvents) {
    const Outcome<std::string_view> origin = origin_of(purpose, bytes);
    if (!origin.ok()) {
      return origin.fault();
    }
    const std::string_view text = origin.value();
    if (text.substr(text.rfind('/') + 1) != scope.text()) {
      return Fault{FaultKind::kScopeMismatch, "the message's origin ends in another scope"};
    }
    return Done{};
  }
  const Outcome<EventHeader> header = check_event(bytes);
  if (!header.ok()) {
    return header.fault();
  }
  // An event may name a Node, whose Domain the signer does not know; a named Domain must be this
  // one.
  const std::string_view named = header.value().scope;
  if ((named == "platform" || named.starts_with("domain:")) && named != scope.text()) {
    return Fault{FaultKind::kScopeMismatch, "the event names another scope"};
  }
  if (header.value().key_id != key_id) {
    return refused("the event's key_id is not the id of the key that would sign it");
  }
  return Done{};
}

}  // namespace plexsphere::signing
