#include "domain/canonical_check.hpp"

#include <charconv>

#include "domain/record.hpp"

namespace plexsphere::audit {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// Eats from the left what it is told to expect; false, and worth nothing more, where something else
// stands.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  bool eat(std::string_view expected) {
    if (!left_.starts_with(expected)) {
      return false;
    }
    left_.remove_prefix(expected.size());
    return true;
  }
  bool at_end() const { return left_.empty(); }

  // `text` as the encoder writes it, quotes included.
  bool eat_string(std::string_view text) {
    if (!eat("\"")) {
      return false;
    }
    while (!text.empty()) {
      const std::size_t plain = plain_bytes(text);
      if (!eat(text.substr(0, plain))) {
        return false;
      }
      text.remove_prefix(plain);
      if (!text.empty()) {
        if (!eat_escaped(text.front())) {
          return false;
        }
        text.remove_prefix(1);
      }
    }
    return eat("\"");
  }

  bool eat_hex(std::string_view bytes) {
    if (!eat("\"") || !is_hex_of(left_.substr(0, 2 * bytes.size()), bytes)) {
      return false;
    }
    left_.remove_prefix(2 * bytes.size());
    return eat("\"");
  }

  // Any string, to its closing quote.
  bool skip_string() {
    if (!eat("\"")) {
      return false;
    }
    while (!left_.empty() && left_.front() != '"') {
      const std::size_t step = left_.front() == '\\' ? 2 : 1;
      if (static_cast<unsigned char>(left_.front()) < 0x20 || left_.size() < step) {
        return false;
      }
      left_.remove_prefix(step);
    }
    return eat("\"");
  }
  // [string, …]
  bool skip_strings() {
    return skip_list("[", "]", [this] { return skip_string(); });
  }
  // {string: [string, …], …}
  bool skip_caveats() {
    return skip_list("{", "}", [this] { return skip_string() && eat(":") && skip_strings(); });
  }

 private:
  static bool is_plain(char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
  }
  static std::size_t plain_bytes(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && is_plain(text[size])) {
      ++size;
    }
    return size;
  }
  bool eat_escaped(char c) {
    constexpr std::string_view kNamed = "\b\f\n\r\t\"\\";
    constexpr std::string_view kNames = "bfnrt\"\\";
    if (const auto at = kNamed.find(c); at != std::string_view::npos) {
      const char escaped[] = {'\\', kNames[at]};
      return eat({escaped, sizeof escaped});
    }
    const auto byte = static_cast<unsigned char>(c);
    const char escaped[] = {'\\', 'u', '0', '0', kDigits[byte >> 4], kDigits[byte & 15]};
    return eat({escaped, sizeof escaped});
  }
  template <typename Item>
  bool skip_list(std::string_view open, std::string_view close, Item item) {
    if (!eat(open)) {
      return false;
    }
    if (eat(close)) {
      return true;
    }
    do {
      if (!item()) {
        return false;
      }
    } while (eat(","));
    return eat(close);
  }

  std::string_view left_;
};

std::string_view decimal(std::int64_t number, char (&buffer)[24]) {
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return {buffer, static_cast<std::size_t>(end - buffer)};
}

}  // namespace

std::string_view context_digest(std::string_view canonical) {
  constexpr std::string_view kMember = ",\"request_context_hash\":\"";
  constexpr std::string_view kEnd = "\"}";
  constexpr std::size_t kDigest = 64;
  constexpr std::size_t kTail = kMember.size() + kDigest + kEnd.size();
  if (canonical.size() < kTail) {
    return {};
  }
  const std::string_view tail = canonical.substr(canonical.size() - kTail);
  return tail.starts_with(kMember) && tail.ends_with(kEnd) ? tail.substr(kMember.size(), kDigest)
                                                           : std::string_view{};
}

bool is_hex_of(std::string_view digits, std::string_view bytes) {
  if (digits.size() != 2 * bytes.size()) {
    return false;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (digits[2 * i] != kDigits[byte >> 4] || digits[2 * i + 1] != kDigits[byte & 15]) {
      return false;
    }
  }
  return true;
}

bool says_exactly(std::string_view canonical, const FilterColumns& columns) {
  Reader reader(canonical);
  char number[24];
  return reader.eat("{\"v\":1,\"chain\":\"") && reader.eat(columns.chain) &&
         reader.eat("\",\"seq\":") && reader.eat(decimal(columns.seq, number)) &&
         reader.eat(",\"occurred_at\":\"") && reader.eat(canonical_time(columns.occurred_at)) &&
         reader.eat("\",\"reason\":") && reader.eat_string(columns.reason) &&
         reader.eat(",\"relation\":") && reader.eat_string(columns.relation) &&
         reader.eat(",\"object_type\":") && reader.eat_string(columns.object_type) &&
         reader.eat(",\"object_id\":") && reader.eat_string(columns.object_id) &&
         reader.eat(",\"subject_pseudonym\":") && reader.eat_hex(columns.subject_pseudonym) &&
         reader.eat(",\"correlation_id\":") && reader.eat_string(columns.correlation_id) &&
         reader.eat(",\"relation_path\":") && reader.skip_strings() &&
         reader.eat(",\"caveat_context\":") && reader.skip_caveats() &&
         reader.eat(",\"request_context_hash\":") && (reader.eat("null") || reader.skip_string()) &&
         reader.eat("}") && reader.at_end();
}

}  // namespace plexsphere::audit
