#include "host/persistence/statement_check.hpp"

// libpq beside libpqxx: version 6 of the latter cannot describe a prepared statement.
#include <libpq-fe.h>

#include <memory>
#include <optional>

#include "host/persistence/copy_reader.hpp"
#include "host/persistence/store_error.hpp"
#include "host/persistence/wire_value.hpp"

namespace plexsphere::host::persistence {
namespace {

struct Close {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Close>;
using Answer = std::unique_ptr<PGresult, Close>;

bool succeeded(const Answer& answer) {
  const auto status = PQresultStatus(answer.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

std::string message_of(const Answer& answer) {
  std::string text = PQresultErrorMessage(answer.get());
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

std::optional<std::string> compare(const PGresult* described, const Statement& statement) {
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    const auto oid = PQparamtype(described, static_cast<int>(i));
    if (!type_matches(oid, statement.parameters[i])) {
      return "the server takes type oid " + std::to_string(oid) + " for $" + std::to_string(i + 1) +
             ", declared is " + wire_type_name(statement.parameters[i]) +
             " (a cast in the statement fixes the type)";
    }
  }
  const auto columns = static_cast<std::size_t>(PQnfields(described));
  if (statement.results.empty()) {
    return std::nullopt;
  }
  if (columns != statement.results.size()) {
    return "it returns " + std::to_string(columns) + " columns, declared are " +
           std::to_string(statement.results.size());
  }
  for (std::size_t i = 0; i < columns; ++i) {
    const auto oid = PQftype(described, static_cast<int>(i));
    if (!type_matches(oid, statement.results[i])) {
      return "column " + std::to_string(i + 1) + " has type oid " + std::to_string(oid) +
             ", declared is " + wire_type_name(statement.results[i]);
    }
    if (statement.copied && !copies_as(oid, statement.results[i])) {
      return "column " + std::to_string(i + 1) + " has type oid " + std::to_string(oid) +
             ", which COPY does not give as " + wire_type_name(statement.results[i]) +
             " (a cast in the statement fixes the type)";
    }
  }
  return std::nullopt;
}

std::string explain_sql(const std::string& name, std::size_t parameters) {
  std::string sql = "EXPLAIN (COSTS OFF) EXECUTE " + name;
  for (std::size_t i = 0; i < parameters; ++i) {
    sql += i == 0 ? "(NULL" : ", NULL";
  }
  return parameters > 0 ? sql + ")" : sql;
}

std::optional<std::string> check_one(PGconn* connection, const std::string& begin,
                                     const Statement& statement) {
  const std::string name = "check_" + std::to_string(statement.id);
  const Answer began(PQexec(connection, begin.c_str()));
  if (!succeeded(began)) {
    return message_of(began);
  }
  const Answer prepared(PQprepare(connection, name.c_str(), statement.sql.c_str(), 0, nullptr));
  if (!succeeded(prepared)) {
    return message_of(prepared);
  }
  const Answer described(PQdescribePrepared(connection, name.c_str()));
  if (!succeeded(described)) {
    return message_of(described);
  }
  if (auto wrong = compare(described.get(), statement)) {
    return wrong;
  }
  const std::string sql = explain_sql(name, statement.parameters.size());
  const Answer planned(PQexec(connection, sql.c_str()));
  return succeeded(planned) ? std::nullopt : std::optional{message_of(planned)};
}

}  // namespace

std::vector<std::string> check_statements(const SessionOptions& options, const std::string& role,
                                          const std::vector<const Statement*>& statements) {
  const Connection connection(PQconnectdb(complete_dsn(options).c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    throw StoreError(PX_UNAVAILABLE, "database_unavailable", PQerrorMessage(connection.get()),
                     "08001");
  }
  const Answer settings(PQexec(connection.get(), "SET search_path = pg_catalog"));
  const std::string begin = "BEGIN; SET LOCAL ROLE " + quote_identifier(role);
  std::vector<std::string> wrong;
  for (const Statement* statement : statements) {
    if (const auto why = check_one(connection.get(), begin, *statement)) {
      wrong.push_back("statement '" + statement->context + "." + statement->name + "': " + *why);
    }
    const Answer ended(PQexec(connection.get(), "ROLLBACK"));
  }
  return wrong;
}

}  // namespace plexsphere::host::persistence
