#include "host/persistence/store.hpp"

#include <utility>

#include <pqxx/result_iterator.hxx>

#include "host/persistence/copy_reader.hpp"
#include "host/persistence/error_capture.hpp"
#include "host/persistence/store_error.hpp"
#include "plexsphere/sdk/failpoint.hpp"

// A live transaction. Global because the wire names it so.
struct px_tx {
  static constexpr std::uint64_t kAlive = 0x70785f74785f3031;  // "px_tx_01"

  std::uint64_t alive = kAlive;
  std::string context;
  std::optional<plexsphere::host::persistence::Pool::Lease> lease;
  plexsphere::host::persistence::Session* session = nullptr;
  plexsphere::host::persistence::StagedWork staged;
  bool read_only = false;
  bool failed = false;
  bool streaming = false;
  std::uint32_t cursors = 0;

  ~px_tx() { alive = 0; }
};

namespace plexsphere::host::persistence {
namespace {

constexpr std::size_t kFetchRows = 1000;
constexpr std::uint64_t kMaxRows = 100'000;

std::size_t size_of(const std::optional<std::string>& text) {
  return text ? text->size() : 0;
}
std::size_t size_of(const std::optional<PackedParameter>& packed) {
  return packed ? packed->bytes.size() : 0;
}

// `form` is encode_parameter or pack_parameter.
template <typename Form>
auto encode(const Statement& statement, const px_value* parameters, Form form) {
  std::vector<decltype(form(*parameters, px_type{}))> out;
  out.reserve(statement.parameters.size());
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
    try {
      out.push_back(form(parameters[i], statement.parameters[i]));
    } catch (const StoreError& error) {
      throw StoreError(error.status(), error.reason(),
                       "statement '" + statement.name + "', parameter $" + std::to_string(i + 1) +
                           ": " + error.what());
    }
    bytes += size_of(out.back());
  }
  if (bytes > kMaxParameterBytes) {
    throw StoreError(PX_INVALID_ARGUMENT, "parameter_too_large",
                     "the parameters of '" + statement.name + "' have " + std::to_string(bytes) +
                         " bytes together; the limit is " + std::to_string(kMaxParameterBytes));
  }
  return out;
}

void stream_cursor(Session& session, const Statement& statement, const TextParameters& parameters,
                   const std::string& cursor, const Store::RowVisitor& visit) {
  const std::string fetch = "FETCH FORWARD " + std::to_string(kFetchRows) + " FROM " + cursor;
  session.run("DECLARE " + cursor + " NO SCROLL CURSOR FOR " + statement.sql, parameters);
  for (bool more = true; more;) {
    const pqxx::result result = session.run(fetch);
    check_columns(result, statement);
    const px_rows rows(result, statement);
    more = rows.count() == kFetchRows;
    for (std::uint64_t i = 0; i < rows.count(); ++i) {
      if (!visit(rows.cells(i), rows.width())) {
        more = false;
        break;
      }
    }
  }
  session.run("CLOSE " + cursor);
}

void stream_copy(Session& session, const Statement& statement, const TextParameters& parameters,
                 const Store::RowVisitor& visit) {
  CopyReader reader(statement);
  session.copy_out(copy_text(statement.sql, parameters), [&](std::string_view message) {
    const auto cells = reader.read(message);
    return cells.empty() || visit(cells.data(), cells.size());
  });
}

}  // namespace

StagedWork::~StagedWork() {
  for (Items* items : {&pending_, &done_}) {
    for (auto& [id, entry] : *items) {
      for (void* item : entry.second) {
        entry.first->release(entry.first->ctx, item);
      }
    }
  }
}

void StagedWork::add(const Participant& participant, void* item) {
  const bool too_late =
      participant.phase < phase_ || (participant.phase == phase_ && phase_ != PX_PHASE_PROJECTION);
  if (too_late) {
    throw StoreError(PX_FAILED_PRECONDITION, "phase_passed",
                     "participant '" + participant.name + "' was given work after its phase");
  }
  auto& entry = pending_[participant.id];
  entry.first = &participant;
  entry.second.push_back(item);
}

void StagedWork::flush(px_tx* tx) {
  phase_ = PX_PHASE_PROJECTION;
  for (int round = 0; round < kMaxProjectionRounds; ++round) {
    flush_phase(tx, PX_PHASE_PROJECTION);
  }
  for (const auto& [id, entry] : pending_) {
    if (entry.first->phase == PX_PHASE_PROJECTION) {
      throw StoreError(PX_INTERNAL, "projection_loop",
                       "projections kept staging projections for " +
                           std::to_string(kMaxProjectionRounds) + " rounds; the last is '" +
                           entry.first->name + "'");
    }
  }
  for (const px_phase phase : {PX_PHASE_OUTBOX, PX_PHASE_AUDIT}) {
    phase_ = phase;
    flush_phase(tx, phase);
  }
}

void StagedWork::flush_phase(px_tx* tx, px_phase phase) {
  Items now;
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (it->second.first->phase == phase) {
      now.insert(pending_.extract(it++));
    } else {
      ++it;
    }
  }
  for (auto& [id, entry] : now) {  // owned by done_ before any flush, so that nothing leaks
    auto& kept = done_[id];
    kept.first = entry.first;
    kept.second.insert(kept.second.end(), entry.second.begin(), entry.second.end());
  }
  for (const auto& [id, entry] : now) {
    const Participant& participant = *entry.first;
    ErrorCapture error;
    const px_status status = participant.flush(participant.ctx, tx, entry.second.data(),
                                               entry.second.size(), error.sink());
    if (status != PX_OK) {
      throw StoreError(status, error.reason(),
                       "pre-commit step '" + participant.name + "' of " + participant.context +
                           " failed: " + error.detail());
    }
  }
}

Store::Store(StoreOptions options, LogSink log)
    : options_(std::move(options)), log_(std::move(log)), pool_(options_.pool) {}

px_tx* Store::begin(const Client& client, const TransactionOptions& options) {
  const auto patience = options.timeout.count() > 0 ? options.timeout : options_.checkout_timeout;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto tx = std::make_unique<px_tx>();
  tx->context = client.context;
  tx->read_only = options.read_only || options.snapshot;
  for (;;) {
    tx->lease.emplace(pool_.acquire(client.role, client.may_audit, deadline));
    const bool fresh = tx->lease->fresh();
    try {
      (*tx->lease)->begin({client.role, options.read_only, options.timeout, options.snapshot});
      tx->session = &**tx->lease;
      return tx.release();
    } catch (const StoreError& error) {
      if (fresh || error.status() != PX_UNAVAILABLE) {
        throw;
      }
      tx->lease.reset();
      pool_.discard_idle();
    }
  }
}

px_tx* Store::begin_on(Session& session, const Client& client) {
  auto tx = std::make_unique<px_tx>();
  tx->context = client.context;
  session.begin({client.role, false, std::chrono::milliseconds{0}});
  tx->session = &session;
  return tx.release();
}

Session& Store::checked_session(px_tx* tx) {
  if (tx == nullptr || tx->alive != px_tx::kAlive || tx->session == nullptr) {
    throw StoreError(PX_INVALID_ARGUMENT, "not_a_transaction",
                     "the transaction handle is null or has ended");
  }
  if (tx->failed) {
    throw StoreError(PX_FAILED_PRECONDITION, "transaction_failed",
                     "an earlier statement of this transaction failed; only rollback is left");
  }
  if (tx->streaming) {
    throw StoreError(PX_FAILED_PRECONDITION, "transaction_streams",
                     "a row of a stream is being visited; its transaction is not free meanwhile");
  }
  return *tx->session;
}

const Statement& Store::checked_statement(const Client& client, px_tx* tx, std::uint32_t id,
                                          std::uint64_t count) {
  const Statement& statement = catalog_.statement(id);
  if (statement.context != client.context) {
    throw StoreError(
        PX_PERMISSION_DENIED, "foreign_statement",
        client.context + " may not run statement '" + statement.name + "' of " + statement.context);
  }
  if (tx->context != client.context && !statement.port) {
    throw StoreError(PX_PERMISSION_DENIED, "not_a_port_statement",
                     "statement '" + statement.name + "' of " + client.context +
                         " is not declared PX_STATEMENT_PORT and cannot run in a transaction of " +
                         tx->context);
  }
  if (count != statement.parameters.size()) {
    throw StoreError(PX_INVALID_ARGUMENT, "parameter_count",
                     "statement '" + statement.name + "' takes " +
                         std::to_string(statement.parameters.size()) + " parameters, got " +
                         std::to_string(count));
  }
  return statement;
}

void Store::execute(const Client& client, px_tx* tx, std::uint32_t id, const px_value* parameters,
                    std::uint64_t count, std::unique_ptr<px_rows>* out) {
  Session& session = checked_session(tx);
  const Statement& statement = checked_statement(client, tx, id, count);
  const Parameters packed = encode(statement, parameters, &pack_parameter);
  try {
    const pqxx::result result = session.run_prepared(statement.id, statement.sql, packed);
    if (session.first_result_of(statement.id)) {
      check_columns(result, statement);
    }
    if (static_cast<std::uint64_t>(result.size()) > kMaxRows) {
      throw StoreError(PX_RESOURCE_EXHAUSTED, "too_many_rows",
                       "statement '" + statement.name + "' returned more than " +
                           std::to_string(kMaxRows) + " rows; use stream");
    }
    if (out != nullptr) {
      *out = std::make_unique<px_rows>(result, statement);
    }
  } catch (const StoreError& error) {
    tx->failed = true;
    log_failure(error, statement.context + "." + statement.name);
    throw;
  }
}

void Store::stream(const Client& client, px_tx* tx, std::uint32_t id, const px_value* parameters,
                   std::uint64_t count, const RowVisitor& visit) {
  Session& session = checked_session(tx);
  const Statement& statement = checked_statement(client, tx, id, count);
  const TextParameters text = encode(statement, parameters, &encode_parameter);
  tx->streaming = statement.copied;
  try {
    if (statement.copied) {
      stream_copy(session, statement, text, visit);
    } else {
      stream_cursor(session, statement, text, "px_cursor_" + std::to_string(++tx->cursors), visit);
    }
    tx->streaming = false;
  } catch (const StoreError& error) {
    tx->streaming = false;
    tx->failed = true;
    log_failure(error, statement.context + "." + statement.name);
    throw;
  }
}

void Store::stage(const Client& client, px_tx* tx, std::uint32_t id, void* item) {
  checked_session(tx);
  const Participant& participant = catalog_.participant(id);
  if (participant.context != client.context) {
    throw StoreError(
        PX_PERMISSION_DENIED, "foreign_participant",
        client.context + " may not stage for '" + participant.name + "' of " + participant.context);
  }
  if (tx->read_only) {
    throw StoreError(PX_FAILED_PRECONDITION, "read_only_transaction",
                     "work cannot be staged in a read-only transaction");
  }
  tx->staged.add(participant, item);
}

void Store::commit(px_tx* tx) {
  if (tx == nullptr || tx->alive != px_tx::kAlive) {
    throw StoreError(PX_INVALID_ARGUMENT, "not_a_transaction",
                     "the transaction handle is null or has ended");
  }
  // Ends the transaction on every path: items are released after the session has let go.
  const std::unique_ptr<px_tx> ending(tx);
  try {
    checked_session(tx);
    tx->staged.flush(tx);
    checked_session(tx);  // a participant that hid a failed statement does not get its commit
    PLEXSPHERE_FAILPOINT("commit.before." + tx->context);
    tx->session->commit();
    PLEXSPHERE_FAILPOINT("commit.after." + tx->context);
  } catch (const StoreError& error) {
    log_failure(error, "commit of " + tx->context);
    tx->session->rollback();
    throw;
  }
}

void Store::rollback(px_tx* tx) noexcept {
  if (tx == nullptr || tx->alive != px_tx::kAlive) {
    return;
  }
  const std::unique_ptr<px_tx> ending(tx);
  tx->session->rollback();
}

void Store::check_server_limit(std::size_t extra) {
  const auto deadline = std::chrono::steady_clock::now() + options_.checkout_timeout;
  const Pool::Lease session = pool_.acquire("", false, deadline);
  const auto result = session->run(
      "SELECT current_setting('max_connections')::int - "
      "current_setting('superuser_reserved_connections')::int");
  const auto allowed = result[0][0].as<std::size_t>();
  const std::size_t wanted = pool_.options().capacity + pool_.options().reserved + extra;
  if (wanted > allowed) {
    throw StoreError(PX_FAILED_PRECONDITION, "connection_limit",
                     "this process may open " + std::to_string(wanted) +
                         " database connections (database.pool_size plus leader, listener and "
                         "audit), the server allows " +
                         std::to_string(allowed) + ": lower pool_size or raise max_connections");
  }
}

void Store::log_failure(const StoreError& error, std::string_view where) const {
  if (!log_) {
    return;
  }
  // Races and refusals that a caller handles are no news; the rest an operator wants to see.
  const bool expected = error.status() == PX_ALREADY_EXISTS || error.status() == PX_ABORTED ||
                        error.status() == PX_FAILED_PRECONDITION;
  log_(expected ? PX_LOG_DEBUG : PX_LOG_WARN, "store.failed",
       {{"statement", std::string{where}},
        {"status", std::to_string(error.status())},
        {"reason", error.reason()},
        {"sqlstate", error.sqlstate()},
        {"detail", error.what()}});
}

}  // namespace plexsphere::host::persistence
