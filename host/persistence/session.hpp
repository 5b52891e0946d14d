// One PostgreSQL session: a libpqxx connection with our settings, our errors and no second life.
//
// libpqxx reconnects by itself and forgets session state; here reconnection is inhibited, so a lost
// connection is an error, the session is `broken` from then on, and its holder throws it away.
//
// Thread safety: none; one thread at a time. Ownership: owns its connection.
// Invariants: outside begin…commit/rollback no transaction is open and no role is set.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pqxx/result.hxx>

#include "host/persistence/packed_parameter.hpp"

struct pg_result;  // libpq's PGresult

namespace plexsphere::host::persistence {

struct SessionOptions {
  std::string dsn;  // libpq connection string or URI
  std::string application_name = "plexsphere";
  std::chrono::milliseconds statement_timeout{10'000};
  std::chrono::milliseconds lock_timeout{2'000};
  std::chrono::seconds connect_timeout{3};
};

struct BeginOptions {
  std::string role;  // empty: stay the login role
  bool read_only = false;
  std::chrono::milliseconds statement_timeout{0};  // 0: the session's default
  bool snapshot = false;                           // one for all its statements; read-only
};

// Text of parameters; nullopt is null.
using TextParameters = std::vector<std::optional<std::string>>;
// The same, each in the form it travels in.
using Parameters = std::vector<std::optional<PackedParameter>>;

class Session {
 public:
  // Connects and refuses a server that is in recovery: authority is never read from a standby.
  // Throws StoreError: PX_UNAVAILABLE, or PX_INVALID_ARGUMENT for a malformed connection string.
  explicit Session(const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // BEGIN, role and time-outs in one round trip.
  void begin(const BeginOptions& options);
  // Throws PX_UNKNOWN, reason "commit_outcome_unknown", when the connection broke meanwhile.
  void commit();
  // Never throws; a session that cannot roll back becomes broken.
  void rollback() noexcept;

  // Statements of the host itself, never of a plugin: simple protocol, may be several.
  pqxx::result run(const std::string& sql);
  // One statement with parameters, not prepared.
  pqxx::result run(const std::string& sql, const TextParameters& parameters);
  // A declared statement, prepared on first use in this session.
  pqxx::result run_prepared(std::uint32_t id, const std::string& sql, const Parameters& parameters);
  // "COPY … TO STDOUT": calls `message` for each CopyData message, in bounded memory. What comes
  // after it has returned false, or thrown, is read and dropped, and the session stays in order.
  void copy_out(const std::string& sql, const std::function<bool(std::string_view)>& message);

  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool in_transaction() const { return in_transaction_; }
  // Role of the latest transaction, for the pool's preference.
  [[nodiscard]] const std::string& last_role() const { return last_role_; }
  [[nodiscard]] int backend_pid() const;
  // True when the server has closed the connection, seen without waiting and without a query. False
  // proves nothing. Over TLS only the end of the stream is seen.
  [[nodiscard]] bool peer_gone() const;
  // True once per session and statement: the caller checks result types only then.
  bool first_result_of(std::uint32_t id);

 private:
  template <typename Work>
  pqxx::result guarded(Work&& work);
  [[noreturn]] void translate_current_exception();
  // Frees `result`. Throws StoreError unless it has the status.
  void require_copy(pg_result* result, int status);

  struct Link;  // keeps libpqxx's connection headers out of this one
  std::unique_ptr<Link> link_;
  std::string last_role_;
  std::vector<bool> prepared_;
  std::vector<bool> checked_;
  bool in_transaction_ = false;
  bool broken_ = false;
};

// "plexsphere_identity" → "\"plexsphere_identity\"", doubling quotes. For names from manifests.
[[nodiscard]] std::string quote_identifier(std::string_view name);
// 'text' with quotes doubled; requires standard_conforming_strings, which a Session sets.
[[nodiscard]] std::string quote_literal(std::string_view text);

// The connection string with our defaults (application name, time-outs, keep-alive, refusal of
// read-only servers) where it does not say otherwise. Throws StoreError(PX_INVALID_ARGUMENT) with
// libpq's text, which never quotes the password.
[[nodiscard]] std::string complete_dsn(const SessionOptions& options);

}  // namespace plexsphere::host::persistence
