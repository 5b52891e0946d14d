#include "host/persistence/store_error.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace plexsphere::host::persistence {
namespace {

struct Rule {
  std::string_view prefix;  // a whole SQLSTATE or its first two characters
  px_status status;
  std::string_view reason;
};

// First match wins, so whole codes stand before their class.
constexpr std::array<Rule, 26> kRules{{
    {"23505", PX_ALREADY_EXISTS, ""},
    {"23P01", PX_ALREADY_EXISTS, ""},
    {"23503", PX_FAILED_PRECONDITION, ""},
    {"23001", PX_FAILED_PRECONDITION, ""},
    {"23", PX_INVALID_ARGUMENT, ""},
    {"22", PX_INVALID_ARGUMENT, "invalid_data"},
    {"40001", PX_ABORTED, "serialization_failure"},
    {"40P01", PX_ABORTED, "deadlock"},
    {"40", PX_ABORTED, "transaction_rollback"},
    {"55P03", PX_UNAVAILABLE, "lock_timeout"},
    {"55", PX_FAILED_PRECONDITION, "object_state"},
    {"57014", PX_DEADLINE_EXCEEDED, "statement_timeout"},
    {"57", PX_UNAVAILABLE, "database_unavailable"},
    {"25006", PX_FAILED_PRECONDITION, "read_only_transaction"},
    {"25P02", PX_FAILED_PRECONDITION, "transaction_failed"},
    {"25P03", PX_DEADLINE_EXCEEDED, "idle_in_transaction"},
    {"25", PX_FAILED_PRECONDITION, "transaction_state"},
    {"42501", PX_PERMISSION_DENIED, "database_privilege"},
    {"42", PX_INTERNAL, "statement_wrong"},
    {"53", PX_UNAVAILABLE, "database_resources"},
    {"54", PX_INVALID_ARGUMENT, "program_limit"},
    {"08", PX_UNAVAILABLE, "database_unavailable"},
    {"28", PX_UNAVAILABLE, "database_login_refused"},
    {"3D", PX_UNAVAILABLE, "database_missing"},
    {"58", PX_UNAVAILABLE, "database_io"},
    {"XX", PX_DATA_LOSS, "database_corrupted"},
}};

// Our functions raise with ERRCODE = 'PX0nn', nn being the canonical status; PX001 is the common
// case and means "the state forbids it".
px_status status_of_raise(std::string_view sqlstate) {
  if (sqlstate == "PX001") {
    return PX_FAILED_PRECONDITION;
  }
  const int number = (sqlstate[3] - '0') * 10 + (sqlstate[4] - '0');
  const bool digits = sqlstate[3] >= '0' && sqlstate[3] <= '9' && sqlstate[4] >= '0' &&
                      sqlstate[4] <= '9' && sqlstate[2] == '0';
  return digits && number >= 2 && number <= PX_UNAUTHENTICATED ? number : PX_INTERNAL;
}

struct ServerMessage {
  std::string sqlstate;    // empty when the text is not the server's
  std::string_view first;  // the message proper
  std::string constraint;
};

ServerMessage read_message(std::string_view text) {
  ServerMessage out;
  std::string_view line = text.substr(0, text.find('\n'));
  const auto mark = line.find(":  ");
  const bool coded = mark != std::string_view::npos && line.size() >= mark + 10 &&
                     line.substr(mark + 8, 2) == ": ";
  if (!coded) {
    out.first = line;
    return out;
  }
  out.sqlstate = line.substr(mark + 3, 5);
  out.first = line.substr(mark + 10);
  constexpr std::string_view label = "\nCONSTRAINT NAME:  ";
  if (const auto at = text.find(label); at != std::string_view::npos) {
    const auto begin = at + label.size();
    out.constraint = text.substr(begin, text.find('\n', begin) - begin);
  }
  return out;
}

// Anything but a token yields "raised", so that no sentence of the server travels as a reason.
std::string raised_reason(std::string_view line) {
  const bool token = !line.empty() && line.size() <= 64 && std::ranges::all_of(line, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
  return token ? std::string{line} : std::string{"raised"};
}

std::string log_text(const ServerMessage& message, std::string_view whole) {
  if (message.sqlstate.starts_with("22") || message.sqlstate.starts_with("23")) {
    const auto quoted = message.first.find_first_of("\"(");
    std::string text{message.first.substr(0, quoted)};
    return message.sqlstate + ": " + text +
           (message.constraint.empty() ? "" : " [" + message.constraint + "]");
  }
  return std::string{whole};
}

}  // namespace

StoreError::StoreError(px_status status, std::string reason, const std::string& log_text,
                       std::string sqlstate)
    : std::runtime_error(log_text),
      status_(status),
      reason_(std::move(reason)),
      sqlstate_(std::move(sqlstate)) {}

std::string_view StoreError::public_detail() const {
  switch (status_) {
    case PX_UNKNOWN:
      return "The connection to the database broke while committing; the change may have happened.";
    case PX_INVALID_ARGUMENT:
      return "The database refused a value.";
    case PX_DEADLINE_EXCEEDED:
      return "The database did not answer in time.";
    case PX_ALREADY_EXISTS:
      return "A row with this key exists already.";
    case PX_PERMISSION_DENIED:
      return "The database refused the statement to this context.";
    case PX_RESOURCE_EXHAUSTED:
      return "No database connection became free in time.";
    case PX_FAILED_PRECONDITION:
      return "The state of the data forbids the change.";
    case PX_ABORTED:
      return "The transaction lost a race; repeat it.";
    case PX_UNAVAILABLE:
      return "The database is not available; retry later.";
    case PX_DATA_LOSS:
      return "The database reported damaged data.";
    default:
      return "The database refused the statement.";
  }
}

StoreError error_from_message(std::string_view text) {
  const ServerMessage message = read_message(text);
  const std::string log = log_text(message, text);
  if (message.sqlstate.empty()) {
    return {PX_INTERNAL, "database_error", log, "XX000"};
  }
  if (message.sqlstate.starts_with("PX")) {
    return {status_of_raise(message.sqlstate), raised_reason(message.first), log, message.sqlstate};
  }
  for (const Rule& rule : kRules) {
    if (message.sqlstate.starts_with(rule.prefix)) {
      const bool named = rule.reason.empty();
      return {rule.status, named ? message.constraint : std::string{rule.reason}, log,
              message.sqlstate};
    }
  }
  return {PX_INTERNAL, "database_error", log, message.sqlstate};
}

}  // namespace plexsphere::host::persistence
