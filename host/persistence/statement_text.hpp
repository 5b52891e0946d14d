// Reads SQL text as tokens and judges whether a plugin may declare it.
//
// It is a lexer after PostgreSQL 15, section 4.1 (comments nest, E'' escapes, dollar quotes), not a
// parser: it answers "is this one statement, of an allowed kind, without a way out of the
// transaction or the role", and the server answers everything else when it prepares the statement.
//
// Thread safety: pure functions. Ownership: tokens own their text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace plexsphere::host::persistence {

enum class SqlTokenKind {
  kWord,       // unquoted identifier or keyword, folded to lower case
  kQuoted,     // "quoted identifier", unescaped
  kString,     // any string constant; text is empty
  kParameter,  // $1; number holds the index
  kNumber,
  kPunctuation  // one character
};

struct SqlToken {
  SqlTokenKind kind = SqlTokenKind::kPunctuation;
  std::string text;
  std::uint32_t number = 0;
  std::size_t begin = 0;  // byte offset in the source

  [[nodiscard]] bool is(char punctuation) const {
    return kind == SqlTokenKind::kPunctuation && text[0] == punctuation;
  }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return kind == SqlTokenKind::kWord && text == word;
  }
  [[nodiscard]] bool is_name() const {
    return kind == SqlTokenKind::kWord || kind == SqlTokenKind::kQuoted;
  }
};

// Throws StoreError(PX_INVALID_ARGUMENT) for an unterminated string, quote or comment, a NUL byte,
// or U& forms, whose escapes would hide names from this check.
[[nodiscard]] std::vector<SqlToken> tokenize_sql(std::string_view sql);

// What the declared text was found to be.
struct StatementShape {
  std::uint32_t parameter_count = 0;  // the highest $n
  bool reads_only = false;            // SELECT, VALUES or WITH without a data-changing word
};

// Longest text of a statement, in bytes.
inline constexpr std::size_t kMaxStatementBytes = 32 * 1024;

// Judges a plugin's statement. Requires one statement, first word SELECT, INSERT, UPDATE, DELETE,
// MERGE, VALUES or WITH; parameters numbered without a gap; no SELECT INTO; no call of a function
// that changes settings, runs text as SQL, outlives the transaction or signals other sessions.
// Throws StoreError(PX_INVALID_ARGUMENT) naming what was found and what is allowed.
[[nodiscard]] StatementShape judge_statement(std::string_view sql);

// Judges a PORT statement on top: "SELECT <columns> FROM <schema>.port_<verb>(<parameters and
// constants>) [AS alias]". Nothing else may run under another context's role.
void judge_port_statement(std::string_view sql, std::string_view schema);

// Judges one migration file: no transaction control, no change of role or session user, and no
// statement that cannot run inside a transaction; the runner owns all three.
void judge_migration(std::string_view sql);

}  // namespace plexsphere::host::persistence
