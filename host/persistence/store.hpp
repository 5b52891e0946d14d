// Transactions under a context's role, with declared statements and staged pre-commit work.
//
// This is px.store before its C table: the same rules, with StoreError in place of status codes.
//
// Thread safety: Store from any thread; a px_tx from one thread at a time. Ownership: the Store
// owns pool and catalog; a px_tx is owned by whoever began it and is gone after commit or rollback.
// Invariants: staged work is written in phase order (projection, outbox, audit), participants of
// one phase in the order of their registration, items of one participant in the order of staging;
// every staged item is released exactly once, whatever happens.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/persistence/catalog.hpp"
#include "host/persistence/diagnostics.hpp"
#include "host/persistence/pool.hpp"
#include "host/persistence/rows.hpp"
#include "host/persistence/store_error.hpp"
#include "plexsphere/abi/store.h"

namespace plexsphere::host::persistence {

struct TransactionOptions {
  bool read_only = false;
  bool snapshot = false;                 // read-only: what the first statement sees, all see
  std::chrono::milliseconds timeout{0};  // 0: the defaults of StoreOptions and the session
};

struct StoreOptions {
  PoolOptions pool;
  std::chrono::milliseconds checkout_timeout{5'000};
};

// Items that one transaction will write before it commits.
class StagedWork {
 public:
  ~StagedWork();
  void add(const Participant& participant, void* item);
  // Calls flush in phase order. During the flush of a phase, work may be staged for later phases,
  // and for the projection phase itself in at most kMaxProjectionRounds rounds.
  // Throws StoreError with the status a participant returned.
  void flush(px_tx* tx);

 private:
  static constexpr int kMaxProjectionRounds = 8;
  using Items = std::map<std::uint32_t, std::pair<const Participant*, std::vector<void*>>>;

  void flush_phase(px_tx* tx, px_phase phase);

  Items pending_;
  Items done_;
  px_phase phase_ = 0;  // being flushed; 0 before commit began
};

class Store {
 public:
  Store(StoreOptions options, LogSink log);

  [[nodiscard]] Catalog& catalog() { return catalog_; }
  [[nodiscard]] Pool& pool() { return pool_; }

  // Throws PX_UNAVAILABLE or PX_RESOURCE_EXHAUSTED. A stale pooled session is replaced once,
  // silently: nothing has happened in it yet.
  [[nodiscard]] px_tx* begin(const Client& client, const TransactionOptions& options);
  // The same on a session that the caller keeps, e.g. the one that holds a leader's lock.
  [[nodiscard]] px_tx* begin_on(Session& session, const Client& client);

  // `out` may be null.
  void execute(const Client& client, px_tx* tx, std::uint32_t statement, const px_value* parameters,
               std::uint64_t count, std::unique_ptr<px_rows>* out);
  using RowVisitor = std::function<bool(const px_value* cells, std::uint64_t count)>;
  void stream(const Client& client, px_tx* tx, std::uint32_t statement, const px_value* parameters,
              std::uint64_t count, const RowVisitor& visit);
  void stage(const Client& client, px_tx* tx, std::uint32_t participant, void* item);
  void commit(px_tx* tx);
  void rollback(px_tx* tx) noexcept;

  // Throws StoreError(PX_FAILED_PRECONDITION) when the server allows fewer connections than this
  // process may open, naming both numbers. `extra` are the allowances outside the pool.
  void check_server_limit(std::size_t extra);

  // Writes a failure with the server's words to the log. Returns nothing a caller may show.
  void log_failure(const StoreError& error, std::string_view where) const;

 private:
  Session& checked_session(px_tx* tx);
  const Statement& checked_statement(const Client& client, px_tx* tx, std::uint32_t id,
                                     std::uint64_t count);

  const StoreOptions options_;
  LogSink log_;
  Catalog catalog_;
  Pool pool_;
};

}  // namespace plexsphere::host::persistence
