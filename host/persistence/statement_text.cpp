#include "host/persistence/statement_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::persistence {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw StoreError(PX_INVALID_ARGUMENT, "statement_refused", text);
}

bool is_word_start(char c) {
  const auto u = static_cast<unsigned char>(c);
  return std::isalpha(u) != 0 || c == '_' || u >= 0x80;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word_part(char c) {
  return is_word_start(c) || is_digit(c) || c == '$';
}

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  std::vector<SqlToken> run() {
    if (sql_.find('\0') != std::string_view::npos) {
      refuse("the statement contains a NUL byte");
    }
    while (skip_blank(), at_ < sql_.size()) {
      next();
    }
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }
  void push(SqlTokenKind kind, std::size_t begin, std::string text, std::uint32_t number = 0) {
    tokens_.push_back({kind, std::move(text), number, begin});
  }

  void skip_blank() {
    while (at_ < sql_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        ++at_;
      } else if (peek() == '-' && peek(1) == '-') {
        at_ = std::min(sql_.find('\n', at_), sql_.size());
      } else if (peek() == '/' && peek(1) == '*') {
        skip_block_comment();
      } else {
        return;
      }
    }
  }

  void skip_block_comment() {
    int depth = 0;
    do {
      if (at_ >= sql_.size()) {
        refuse("a /* comment does not end");
      }
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0);
  }

  void next() {
    const char c = peek();
    if (is_word_start(c)) {
      word();
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      number();
    } else if (c == '\'') {
      string(false);
    } else if (c == '"') {
      quoted();
    } else if (c == '$') {
      dollar();
    } else {
      push(SqlTokenKind::kPunctuation, at_, std::string(1, c));
      ++at_;
    }
  }

  void word() {
    const std::size_t begin = at_;
    const char first = static_cast<char>(std::tolower(static_cast<unsigned char>(peek())));
    if (first == 'u' && peek(1) == '&' && (peek(2) == '\'' || peek(2) == '"')) {
      refuse("U& strings and identifiers are not allowed: write the characters themselves");
    }
    if (peek(1) == '\'' && (first == 'e' || first == 'b' || first == 'x' || first == 'n')) {
      ++at_;
      string(first == 'e');
      return;
    }
    while (at_ < sql_.size() && is_word_part(peek())) {
      ++at_;
    }
    std::string text{sql_.substr(begin, at_ - begin)};
    std::ranges::transform(text, text.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    push(SqlTokenKind::kWord, begin, std::move(text));
  }

  void number() {
    const std::size_t begin = at_;
    while (at_ < sql_.size() && (is_word_part(peek()) || peek() == '.')) {
      ++at_;
    }
    push(SqlTokenKind::kNumber, begin, std::string{sql_.substr(begin, at_ - begin)});
  }

  void string(bool escapes) {
    const std::size_t begin = at_++;
    while (at_ < sql_.size()) {
      if (escapes && peek() == '\\') {
        at_ += 2;
      } else if (peek() == '\'' && peek(1) == '\'') {
        at_ += 2;
      } else if (peek() == '\'') {
        ++at_;
        push(SqlTokenKind::kString, begin, {});
        return;
      } else {
        ++at_;
      }
    }
    refuse("a string does not end");
  }

  void quoted() {
    const std::size_t begin = at_++;
    std::string text;
    while (at_ < sql_.size()) {
      if (peek() == '"' && peek(1) == '"') {
        text.push_back('"');
        at_ += 2;
      } else if (peek() == '"') {
        ++at_;
        push(SqlTokenKind::kQuoted, begin, std::move(text));
        return;
      } else {
        text.push_back(peek());
        ++at_;
      }
    }
    refuse("a quoted identifier does not end");
  }

  void dollar() {
    const std::size_t begin = at_;
    if (is_digit(peek(1))) {
      ++at_;
      std::uint32_t value = 0;
      const auto parsed = std::from_chars(sql_.data() + at_, sql_.data() + sql_.size(), value);
      if (parsed.ec != std::errc{} || value == 0) {
        refuse("a parameter number is out of range");
      }
      at_ = static_cast<std::size_t>(parsed.ptr - sql_.data());
      push(SqlTokenKind::kParameter, begin, {}, value);
      return;
    }
    std::size_t end = at_ + 1;
    while (end < sql_.size() && is_word_part(sql_[end]) && sql_[end] != '$') {
      ++end;
    }
    if (end >= sql_.size() || sql_[end] != '$') {
      refuse("a lone $ is neither a parameter nor a quote");
    }
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    const std::size_t close = sql_.find(tag, end + 1);
    if (close == std::string_view::npos) {
      refuse("a dollar-quoted string does not end");
    }
    at_ = close + tag.size();
    push(SqlTokenKind::kString, begin, {});
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  std::vector<SqlToken> tokens_;
};

template <std::size_t N>
bool one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

constexpr std::array<std::string_view, 7> kFirstWords{"select", "insert", "update", "delete",
                                                      "merge",  "values", "with"};
constexpr std::array<std::string_view, 4> kChangingWords{"insert", "update", "delete", "merge"};

// A setting or role changed, text run as SQL, a lock that outlives COMMIT on a pooled session, a
// notification from a hot path, another session hurt, a file read.
constexpr std::array<std::string_view, 17> kForbiddenCalls{"set_config",
                                                           "pg_advisory_lock",
                                                           "pg_advisory_lock_shared",
                                                           "pg_try_advisory_lock",
                                                           "pg_try_advisory_lock_shared",
                                                           "pg_advisory_unlock",
                                                           "pg_advisory_unlock_shared",
                                                           "pg_advisory_unlock_all",
                                                           "pg_notify",
                                                           "ts_stat",
                                                           "pg_terminate_backend",
                                                           "pg_cancel_backend",
                                                           "pg_read_file",
                                                           "pg_read_binary_file",
                                                           "lo_import",
                                                           "lo_export",
                                                           "pg_ls_dir"};
constexpr std::array<std::string_view, 3> kForbiddenPrefixes{"query_to_xml", "cursor_to_xml",
                                                             "dblink"};

bool is_forbidden_call(std::string_view name) {
  return one_of(kForbiddenCalls, name) ||
         std::ranges::any_of(kForbiddenPrefixes,
                             [&](std::string_view p) { return name.starts_with(p); });
}

void refuse_second_statement(const std::vector<SqlToken>& tokens) {
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i].is(';')) {
      refuse("one statement only: text follows a ';'");
    }
  }
}

void refuse_forbidden_words(const std::vector<SqlToken>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool call = i + 1 < tokens.size() && tokens[i + 1].is('(');
    if (call && tokens[i].is_name() && is_forbidden_call(tokens[i].text)) {
      refuse("the function " + tokens[i].text + " may not be called from a declared statement");
    }
    const bool creates_table =
        tokens[i].is_word("into") &&
        (i == 0 || !(tokens[i - 1].is_word("insert") || tokens[i - 1].is_word("merge")));
    if (creates_table) {
      refuse("SELECT INTO creates a table; use INSERT … SELECT");
    }
  }
}

std::uint32_t count_parameters(const std::vector<SqlToken>& tokens) {
  std::vector<std::uint32_t> seen;
  for (const SqlToken& token : tokens) {
    if (token.kind == SqlTokenKind::kParameter) {
      seen.push_back(token.number);
    }
  }
  std::ranges::sort(seen);
  const auto duplicates = std::ranges::unique(seen);
  seen.erase(duplicates.begin(), duplicates.end());
  if (!seen.empty() && seen.back() != seen.size()) {
    refuse("parameters must be numbered from $1 without a gap; the highest is $" +
           std::to_string(seen.back()) + " but only " + std::to_string(seen.size()) +
           " different ones occur");
  }
  return static_cast<std::uint32_t>(seen.size());
}

}  // namespace

std::vector<SqlToken> tokenize_sql(std::string_view sql) {
  return Lexer(sql).run();
}

StatementShape judge_statement(std::string_view sql) {
  if (sql.size() > kMaxStatementBytes) {
    refuse("the statement is " + std::to_string(sql.size()) + " bytes long; the limit is " +
           std::to_string(kMaxStatementBytes));
  }
  const std::vector<SqlToken> tokens = tokenize_sql(sql);
  if (tokens.empty()) {
    refuse("the statement is empty");
  }
  const SqlToken& first = tokens.front();
  if (first.kind != SqlTokenKind::kWord || !one_of(kFirstWords, first.text)) {
    refuse(
        "a statement must begin with SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES or WITH, not '" +
        first.text + "'");
  }
  refuse_second_statement(tokens);
  refuse_forbidden_words(tokens);
  const bool changes = std::ranges::any_of(tokens, [](const SqlToken& token) {
    return token.kind == SqlTokenKind::kWord && one_of(kChangingWords, token.text);
  });
  return {count_parameters(tokens), !changes};
}

namespace {

[[noreturn]] void refuse_port(std::string_view schema, const std::string& why) {
  refuse("a PORT statement must be SELECT <columns> FROM " + std::string{schema} +
         ".port_<verb>($1, …): " + why);
}

// Reads "<columns> FROM" and returns the index after FROM. Column names, casts and aliases only.
std::size_t read_port_columns(const std::vector<SqlToken>& tokens, std::string_view schema) {
  std::size_t i = 1;
  for (; i < tokens.size() && !tokens[i].is_word("from"); ++i) {
    const SqlToken& token = tokens[i];
    const bool plain = token.is_name() || token.is(',') || token.is('.') || token.is('*') ||
                       token.is(':') || token.is('[') || token.is(']');
    if (!plain) {
      refuse_port(schema, "the select list may hold column names only");
    }
  }
  if (i >= tokens.size()) {
    refuse_port(schema, "there is no FROM");
  }
  return i + 1;
}

// Reads "schema.port_verb(" and returns the index after the parenthesis.
std::size_t read_port_name(const std::vector<SqlToken>& tokens, std::size_t i,
                           std::string_view schema) {
  const bool shape = i + 3 < tokens.size() && tokens[i].is_name() && tokens[i].text == schema &&
                     tokens[i + 1].is('.') && tokens[i + 2].is_name() &&
                     tokens[i + 2].text.starts_with("port_") && tokens[i + 3].is('(');
  if (!shape) {
    refuse_port(schema, "FROM must name one function of the schema");
  }
  return i + 4;
}

// Reads the arguments up to the closing parenthesis and returns the index after it.
std::size_t read_port_arguments(const std::vector<SqlToken>& tokens, std::size_t i,
                                std::string_view schema) {
  for (; i < tokens.size() && !tokens[i].is(')'); ++i) {
    if (tokens[i].is('(') || tokens[i].is(';') || tokens[i].is_word("select")) {
      refuse_port(schema, "arguments are parameters and constants only");
    }
  }
  if (i >= tokens.size()) {
    refuse_port(schema, "the call does not end");
  }
  return i + 1;
}

}  // namespace

void judge_port_statement(std::string_view sql, std::string_view schema) {
  std::vector<SqlToken> tokens = tokenize_sql(sql);
  if (!tokens.empty() && tokens.back().is(';')) {
    tokens.pop_back();
  }
  if (tokens.empty() || !tokens.front().is_word("select")) {
    refuse_port(schema, "it does not begin with SELECT");
  }
  std::size_t i = read_port_columns(tokens, schema);
  i = read_port_name(tokens, i, schema);
  i = read_port_arguments(tokens, i, schema);
  if (i < tokens.size() && tokens[i].is_word("as")) {
    ++i;
  }
  if (i < tokens.size() && tokens[i].is_name()) {
    ++i;
  }
  if (i != tokens.size()) {
    refuse_port(schema, "nothing but an alias may follow the call");
  }
}

namespace {

constexpr std::array<std::string_view, 13> kMigrationForbidden{
    "begin",   "commit", "rollback", "end",     "abort",     "start", "reset",
    "discard", "vacuum", "listen",   "cluster", "savepoint", "copy"};

// True for SET [SESSION|LOCAL] ROLE and SET SESSION AUTHORIZATION.
bool sets_identity(const std::vector<SqlToken>& tokens, std::size_t i) {
  if (!tokens[i].is_word("set")) {
    return false;
  }
  for (std::size_t j = i + 1; j < tokens.size() && j <= i + 2; ++j) {
    if (tokens[j].is_word("role") || tokens[j].is_word("authorization")) {
      return true;
    }
  }
  return false;
}

void judge_migration_statement(const std::vector<SqlToken>& tokens, std::size_t first) {
  const SqlToken& word = tokens[first];
  const bool prepares = word.is_word("prepare") && first + 1 < tokens.size() &&
                        tokens[first + 1].is_word("transaction");
  if ((word.kind == SqlTokenKind::kWord && one_of(kMigrationForbidden, word.text)) || prepares) {
    refuse("a migration may not contain " + word.text +
           ": the runner owns the transaction (write function bodies as $$ strings)");
  }
  if (sets_identity(tokens, first)) {
    refuse("a migration may not change its role: it runs as the schema's owner");
  }
  for (std::size_t i = first; i < tokens.size() && !tokens[i].is(';'); ++i) {
    if (tokens[i].is_word("concurrently")) {
      refuse("CONCURRENTLY cannot run inside the migration's transaction");
    }
    const bool call = i + 1 < tokens.size() && tokens[i + 1].is('(');
    if (call && tokens[i].is_name() && tokens[i].text == "set_config") {
      refuse("a migration may not call set_config");
    }
  }
}

}  // namespace

void judge_migration(std::string_view sql) {
  const std::vector<SqlToken> tokens = tokenize_sql(sql);
  if (tokens.empty()) {
    refuse("the migration is empty");
  }
  bool at_start = true;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (at_start && !tokens[i].is(';')) {
      judge_migration_statement(tokens, i);
    }
    at_start = tokens[i].is(';');
  }
}

}  // namespace plexsphere::host::persistence
