// A reader that walks JSON text once, keeps nothing, and stops at the first byte that is not in the
// canonical spelling of event envelopes: no white space; strings in valid UTF-8 with `<`, `>`, `&`,
// U+2028 and U+2029 escaped.
//
// Thread safety: one thread at a time. It views the text, which must outlive it.
#pragma once

#include <optional>
#include <string_view>

namespace plexsphere::signing {

// How strictly a string's escapes are read. An encoder of ours writes each character one way only;
// inside a payload, escapes that an earlier writer chose are kept as they are.
enum class Escapes { kMinimal, kAny };

class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  // Takes exactly this text, or nothing.
  bool literal(std::string_view expected);
  // Takes a string and gives what stands between its quotes, escapes untouched.
  std::optional<std::string_view> string(Escapes escapes);
  // Takes one value of any type, nested at most 64 deep.
  bool value(int depth = 0);
  // Takes an object, or null.
  bool object_or_null() { return (peek() == '{' || peek() == 'n') && value(); }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

 private:
  bool escape(Escapes escapes);
  bool utf8();
  bool number();
  bool digits();
  bool object(int depth);
  bool array(int depth);
  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace plexsphere::signing
