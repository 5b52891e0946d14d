#include "host/persistence/session.hpp"

#include <libpq-fe.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <pqxx/binarystring.hxx>
#include <pqxx/connection.hxx>
#include <pqxx/except.hxx>
#include <pqxx/nontransaction.hxx>
#include <pqxx/prepared_statement.hxx>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::persistence {
namespace {

std::string setup_sql(const SessionOptions& options) {
  return "SET standard_conforming_strings = on; SET bytea_output = 'hex'; SET TIME ZONE 'UTC'; "
         "SET DateStyle = 'ISO, YMD'; SET extra_float_digits = 1; SET client_encoding = 'UTF8'; "
         "SET search_path = pg_catalog; SET client_min_messages = 'warning'; "
         "SET default_transaction_isolation = 'read committed'; "
         "SET idle_in_transaction_session_timeout = 60000; SET statement_timeout = " +
         std::to_string(options.statement_timeout.count()) +
         "; SET lock_timeout = " + std::to_string(options.lock_timeout.count()) +
         "; SELECT pg_is_in_recovery()";
}

// The pointers that libpqxx's dynamic parameter list reads; they live in `parameters`.
std::vector<const char*> pointers_to(const TextParameters& parameters) {
  std::vector<const char*> out;
  out.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    out.push_back(parameter ? parameter->c_str() : nullptr);
  }
  return out;
}

// A failed COMMIT whose connection is gone says nothing about the outcome.
StoreError unknown_outcome(const StoreError& cause) {
  return {PX_UNKNOWN, "commit_outcome_unknown", cause.what(), cause.sqlstate()};
}

struct ConninfoFree {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::string conninfo_pair(const std::string& key, const std::string& value) {
  std::string out = key + "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') {
      out.push_back('\\');
    }
    out.push_back(c);
  }
  return out + "' ";
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') {
      out.push_back('"');
    }
    out.push_back(c);
  }
  return out + "\"";
}

std::string quote_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out.push_back('\'');
    }
    out.push_back(c);
  }
  return out + "'";
}

std::string complete_dsn(const SessionOptions& options) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, ConninfoFree> parsed(
      PQconninfoParse(options.dsn.c_str(), &message));
  if (!parsed) {
    const std::string text = message != nullptr ? message : "out of memory";
    PQfreemem(message);
    throw StoreError(PX_INVALID_ARGUMENT, "connection_string", text);
  }
  const std::array<std::pair<std::string, std::string>, 6> defaults{{
      {"application_name", options.application_name},
      {"connect_timeout", std::to_string(options.connect_timeout.count())},
      {"target_session_attrs", "read-write"},
      {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},
      {"tcp_user_timeout", "15000"},
  }};
  std::string out;
  std::string given;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      out += conninfo_pair(option->keyword, option->val);
      given += std::string{" "} + option->keyword + " ";
    }
  }
  for (const auto& [key, value] : defaults) {
    if (given.find(" " + key + " ") == std::string::npos) {
      out += conninfo_pair(key, value);
    }
  }
  return out;
}

// Opens a connection as libpqxx's own does and remembers libpq's handle of it, for what version 6
// cannot do: COPY in binary.
class RememberedConnection : public pqxx::connect_direct {
 public:
  using pqxx::connect_direct::connect_direct;
  handle do_startconnect(handle before) override {
    return last_ = pqxx::connect_direct::do_startconnect(before);
  }
  [[nodiscard]] handle last() const { return last_; }

 private:
  handle last_ = nullptr;
};

// A final type on purpose: libpqxx 6 has no virtual destructor on connection_base, and one deleted
// through it never closes.
class OpenConnection final : public pqxx::connection_base {
 public:
  explicit OpenConnection(const std::string& dsn) : connection_base(policy_), policy_(dsn) {
    init();
  }
  ~OpenConnection() noexcept { close(); }
  [[nodiscard]] PGconn* handle() const { return policy_.last(); }

 private:
  RememberedConnection policy_;
};

struct Session::Link {
  explicit Link(const std::string& dsn) : connection(dsn), channel(connection) {}

  OpenConnection connection;
  pqxx::nontransaction channel;
};

Session::Session(const SessionOptions& options) {
  const std::string dsn = complete_dsn(options);
  bool in_recovery = false;
  try {
    link_ = std::make_unique<Link>(dsn);
    link_->connection.set_verbosity(pqxx::connection_base::verbose);  // see error_from_message
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    link_->connection.inhibit_reactivation(true);  // deprecated without a replacement in libpqxx 6
#pragma GCC diagnostic pop
    in_recovery = link_->channel.exec(setup_sql(options))[0][0].as<bool>();
  } catch (const pqxx::sql_error& error) {
    throw StoreError(PX_UNAVAILABLE, "database_unavailable", error.what(), error.sqlstate());
  } catch (const std::exception& error) {
    throw StoreError(PX_UNAVAILABLE, "database_unavailable", error.what(), "08001");
  }
  if (in_recovery) {
    throw StoreError(PX_UNAVAILABLE, "database_is_standby",
                     "the server is a standby in recovery; point [database] dsn at the primary",
                     "25006");
  }
}

Session::~Session() {
  try {
    link_.reset();
  } catch (...) {  // closing a lost connection may complain; there is nothing left to save
  }
}

template <typename Work>
pqxx::result Session::guarded(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (...) {
    translate_current_exception();
  }
}

void Session::translate_current_exception() {
  if (!link_->connection.is_open()) {
    broken_ = true;
  }
  try {
    throw;
  } catch (const StoreError&) {
    throw;
  } catch (const pqxx::broken_connection& error) {
    broken_ = true;
    throw StoreError(PX_UNAVAILABLE, "database_unavailable", error.what(), "08006");
  } catch (const pqxx::failure& error) {
    // sql_error and its cousins that stand apart from it, such as deadlock_detected.
    if (broken_) {
      throw StoreError(PX_UNAVAILABLE, "database_unavailable", error.what(), "08006");
    }
    throw error_from_message(error.what());
  } catch (const std::exception& error) {
    // Whatever libpqxx failed at, its view of the session can no longer be trusted.
    const bool lost = broken_;
    broken_ = true;
    throw StoreError(lost ? PX_UNAVAILABLE : PX_INTERNAL,
                     lost ? "database_unavailable" : "database_error", error.what(), "XX000");
  }
}

void Session::begin(const BeginOptions& options) {
  std::string sql = options.snapshot    ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                    : options.read_only ? "BEGIN READ ONLY"
                                        : "BEGIN";
  if (options.statement_timeout.count() > 0) {
    sql += "; SET LOCAL statement_timeout = " + std::to_string(options.statement_timeout.count());
  }
  if (!options.role.empty()) {
    sql += "; SET LOCAL ROLE " + quote_identifier(options.role);
  }
  try {
    guarded([&] { return link_->channel.exec(sql); });
  } catch (const StoreError&) {
    in_transaction_ = true;  // BEGIN may have passed and the role failed
    rollback();
    throw;
  }
  in_transaction_ = true;
  last_role_ = options.role;
}

void Session::commit() {
  try {
    guarded([&] { return link_->channel.exec("COMMIT"); });
    in_transaction_ = false;
  } catch (const StoreError& error) {
    if (broken_) {
      in_transaction_ = false;
      throw unknown_outcome(error);
    }
    rollback();
    throw;
  }
}

void Session::rollback() noexcept {
  if (!in_transaction_) {
    return;
  }
  in_transaction_ = false;
  if (broken_) {
    return;
  }
  try {
    link_->channel.exec("ROLLBACK");
  } catch (...) {
    broken_ = true;
  }
}

pqxx::result Session::run(const std::string& sql) {
  return guarded([&] { return link_->channel.exec(sql); });
}

pqxx::result Session::run(const std::string& sql, const TextParameters& parameters) {
  const std::vector<const char*> pointers = pointers_to(parameters);
  return guarded([&] {
    return link_->channel.exec_params(sql, pqxx::prepare::make_dynamic_params(pointers));
  });
}

pqxx::result Session::run_prepared(std::uint32_t id, const std::string& sql,
                                   const Parameters& parameters) {
  const std::string name = "s" + std::to_string(id);
  return guarded([&] {
    if (prepared_.size() <= id) {
      prepared_.resize(id + 1, false);
    }
    if (!prepared_[id]) {
      link_->connection.prepare(name, sql);
      prepared_[id] = true;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    // Deprecated, and in libpqxx 6 the only way to mix forms that are known at run time alone.
    pqxx::prepare::invocation call = link_->channel.prepared(name);
#pragma GCC diagnostic pop
    for (const auto& parameter : parameters) {
      if (parameter && parameter->binary) {
        call(pqxx::binarystring(parameter->bytes));
      } else {
        call(parameter ? parameter->bytes : std::string(), parameter.has_value());
      }
    }
    return call.exec();
  });
}

void Session::copy_out(const std::string& sql,
                       const std::function<bool(std::string_view)>& message) {
  PGconn* const connection = link_->connection.handle();
  require_copy(PQexec(connection, sql.c_str()), PGRES_COPY_OUT);
  std::exception_ptr thrown;
  bool wanted = true;
  char* buffer = nullptr;
  for (int size = 0; (size = PQgetCopyData(connection, &buffer, 0)) > 0;) {
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(buffer, &PQfreemem);
    try {
      wanted = wanted && message({buffer, static_cast<std::size_t>(size)});
    } catch (...) {
      thrown = std::current_exception();
      wanted = false;
    }
  }
  PGresult* const outcome = PQgetResult(connection);
  for (PGresult* more = outcome; more != nullptr;) {  // up to the null that ends a command
    more = PQgetResult(connection);
    PQclear(more);
  }
  require_copy(outcome, PGRES_COMMAND_OK);
  if (thrown) {
    std::rethrow_exception(thrown);
  }
}

void Session::require_copy(PGresult* result, int status) {
  const std::unique_ptr<PGresult, decltype(&PQclear)> owned(result, &PQclear);
  PGconn* const connection = link_->connection.handle();
  if (result != nullptr && PQresultStatus(result) == status) {
    return;
  }
  if (PQstatus(connection) != CONNECTION_OK) {
    broken_ = true;
    throw StoreError(PX_UNAVAILABLE, "database_unavailable", PQerrorMessage(connection), "08006");
  }
  throw error_from_message(result != nullptr ? PQresultErrorMessage(result)
                                             : PQerrorMessage(connection));
}

int Session::backend_pid() const {
  return link_->connection.backendpid();
}

bool Session::peer_gone() const {
  const int socket = link_->connection.sock();
  char first = 0;
  const ssize_t got = socket < 0 ? 0 : ::recv(socket, &first, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) {
    return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
  }
  // An ErrorResponse that nobody asked for is the server's farewell (protocol 3.0, section 55.7).
  return got == 0 || first == 'E';
}

bool Session::first_result_of(std::uint32_t id) {
  if (checked_.size() <= id) {
    checked_.resize(id + 1, false);
  }
  const bool first = !checked_[id];
  checked_[id] = true;
  return first;
}

}  // namespace plexsphere::host::persistence
