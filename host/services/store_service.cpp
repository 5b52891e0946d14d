#include "host/services/store_service.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "host/health/registry.hpp"
#include "host/migration/runner.hpp"
#include "host/persistence/error_capture.hpp"
#include "host/persistence/statement_check.hpp"
#include "host/persistence/store_error.hpp"
#include "host/services/data_settings.hpp"
#include "host/telemetry/log.hpp"
#include "host/telemetry/metrics.hpp"
#include "plexsphere/abi/store.h"

namespace plexsphere::host {

using persistence::Client;
using persistence::guarded_call;
using persistence::Store;
using persistence::StoreError;

Client client_of(const config::Manifest& manifest) {
  const auto& ports = manifest.provided_ports;
  const bool provides_audit = std::ranges::find(ports, "px.audit/1") != ports.end();
  return {manifest.id, manifest.context_role(), provides_audit, false};
}

persistence::LogSink log_sink(telemetry::Logger& log) {
  return [&log](px_log_level level, std::string_view event, const persistence::LogFields& fields) {
    std::vector<telemetry::Field> out;
    out.reserve(fields.size());
    for (const auto& [name, value] : fields) {
      out.emplace_back(name, value);
    }
    log.write(static_cast<telemetry::Level>(level), event, out);
  };
}

// One plugin's table. Every function is a bridge: catch all, no server text outwards.
struct StoreProvider::Table {
  px_store wire{};
  Store& store;
  Client client;

  Table(Store& the_store, Client the_client) : store(the_store), client(std::move(the_client)) {
    wire.base = {sizeof(px_store), 1, this};
    wire.declare = [](void* self, const px_statement* statement, std::uint32_t* id, px_error* err) {
      return guarded_call(
          err, [&] { *id = of(self).store.catalog().declare(of(self).client, *statement); });
    };
    wire.participate = [](void* self, const px_participant* participant, std::uint32_t* id,
                          px_error* err) {
      return guarded_call(
          err, [&] { *id = of(self).store.catalog().participate(of(self).client, *participant); });
    };
    fill_transactions();
    fill_rows();
  }

  static Table& of(void* self) { return *static_cast<Table*>(self); }

  void fill_transactions() {
    wire.begin = [](void* self, const px_tx_options* options, px_tx** out, px_error* err) {
      return guarded_call(err, [&] { *out = of(self).begin(options); });
    };
    wire.execute = [](void* self, px_tx* tx, std::uint32_t statement, const px_value* parameters,
                      std::uint64_t count, px_rows** out, px_error* err) {
      return guarded_call(err, [&] {
        std::unique_ptr<px_rows> rows;
        of(self).store.execute(of(self).client, tx, statement, parameters, count,
                               out == nullptr ? nullptr : &rows);
        if (out != nullptr) {
          *out = rows.release();
        }
      });
    };
    wire.stream = [](void* self, px_tx* tx, std::uint32_t statement, const px_value* parameters,
                     std::uint64_t count, void* ctx,
                     std::int32_t (*row)(void*, const px_value*, std::uint64_t), px_error* err) {
      return guarded_call(err, [&] {
        of(self).store.stream(of(self).client, tx, statement, parameters, count,
                              [&](const px_value* cells, std::uint64_t width) {
                                return row(ctx, cells, width) != 0;
                              });
      });
    };
    wire.stage = [](void* self, px_tx* tx, std::uint32_t participant, void* item, px_error* err) {
      return guarded_call(err,
                          [&] { of(self).store.stage(of(self).client, tx, participant, item); });
    };
    wire.commit = [](void* self, px_tx* tx, px_error* err) {
      return guarded_call(err, [&] { of(self).store.commit(tx); });
    };
    wire.rollback = [](void* self, px_tx* tx) { of(self).store.rollback(tx); };
  }

  void fill_rows() {
    wire.rows_count = [](const px_rows* rows) { return rows->count(); };
    wire.rows_affected = [](const px_rows* rows) { return rows->affected(); };
    wire.rows_cells = [](const px_rows* rows, std::uint64_t row) -> const px_value* {
      return row < rows->count() ? rows->cells(row) : nullptr;
    };
    wire.rows_release = [](px_rows* rows) { delete rows; };
  }

  px_tx* begin(const px_tx_options* options) {
    persistence::TransactionOptions chosen;
    if (options != nullptr) {
      chosen.read_only = options->read_only != 0;
      chosen.snapshot = (options->flags & PX_TX_SNAPSHOT) != 0;
      chosen.timeout = std::chrono::milliseconds{options->timeout_ms};
    }
    try {
      return store.begin(client, chosen);
    } catch (const StoreError& error) {
      store.log_failure(error, "begin of " + client.context);
      throw;
    }
  }
};

// The readiness probes' own session: a busy pool is not an absent database.
class StoreProvider::Probe {
 public:
  Probe(Store& store, HostContext& host)
      : store_(store),
        open_(gauge(host, "plexsphere_database_connections_open", "Open pooled connections")),
        idle_(gauge(host, "plexsphere_database_connections_idle", "Idle pooled connections")),
        waiting_(gauge(host, "plexsphere_database_connection_waiters",
                       "Callers waiting for a pooled connection")) {
    plans_.push_back(migration::platform_plan());
  }

  void add_plan(migration::ContextPlan plan) {
    const std::lock_guard lock(mutex_);
    plans_.push_back(std::move(plan));
  }

  health::Outcome database() {
    const std::lock_guard lock(mutex_);
    return guarded([&] {
      const auto stats = store_.pool().stats();
      open_.Set(static_cast<double>(stats.open));
      idle_.Set(static_cast<double>(stats.idle));
      waiting_.Set(static_cast<double>(stats.waiting));
      session().run("SELECT 1");
      return health::Outcome{};
    });
  }

  health::Outcome schema() {
    const std::lock_guard lock(mutex_);
    return guarded([&] {
      const auto wrong = differences();
      return wrong.empty() ? health::Outcome{} : health::Outcome{health::State::kDown, wrong[0]};
    });
  }

  // Throws StoreError when the database is away.
  std::vector<std::string> schema_differences() {
    const std::lock_guard lock(mutex_);
    return differences();
  }

  // The registry outlives the store: from here on the probe asks nobody.
  void close() {
    const std::lock_guard lock(mutex_);
    session_.reset();
    closed_ = true;
  }

 private:
  static prometheus::Gauge& gauge(HostContext& host, const char* name, const char* help) {
    return host.metrics.gauge(name, help).Add({});
  }

  template <typename Question>
  health::Outcome guarded(Question&& ask) {
    if (closed_) {
      return {health::State::kDown, "the process is stopping"};
    }
    try {
      return ask();
    } catch (const StoreError& error) {
      session_.reset();
      return {health::State::kDown, error.reason() + ": " + std::string{error.public_detail()}};
    }
  }

  persistence::Session& session() {
    if (!session_ || session_->broken()) {
      session_.reset();
      persistence::SessionOptions options = store_.pool().options().session;
      options.connect_timeout = std::chrono::seconds{2};  // libpq's shortest
      options.statement_timeout = std::chrono::milliseconds{1500};
      session_ = std::make_unique<persistence::Session>(options);
    }
    return *session_;
  }

  std::vector<std::string> differences() {
    session().begin({"plexsphere_platform", true, {}});
    try {
      auto wrong = migration::compare_with_ledger(*session_, plans_);
      session_->rollback();
      return wrong;
    } catch (const StoreError& error) {
      session_->rollback();
      if (error.sqlstate() == "42P01" || error.sqlstate() == "3F000") {
        return {"the database has no plexsphere schema: run plexsphere-bootstrap migrate"};
      }
      throw;
    }
  }

  Store& store_;
  prometheus::Gauge& open_;
  prometheus::Gauge& idle_;
  prometheus::Gauge& waiting_;
  std::mutex mutex_;
  std::vector<migration::ContextPlan> plans_;
  std::unique_ptr<persistence::Session> session_;
  bool closed_ = false;
};

StoreProvider::StoreProvider(Store& store, HostContext& host)
    : store_(store), host_(host), probe_(std::make_shared<Probe>(store, host)) {}

StoreProvider::~StoreProvider() {
  probe_->close();
}

const px_table* StoreProvider::table_for(const PluginContext& plugin) {
  if (!plugin.manifest.capabilities.schema) {
    return nullptr;
  }
  auto& table = tables_[&plugin];
  if (!table) {
    table = std::make_unique<Table>(store_, client_of(plugin.manifest));
  }
  return &table->wire.base;
}

Status StoreProvider::prepare() {
  const auto probe = probe_;
  Status added = host_.health.add("database", [probe] { return probe->database(); });
  if (added) {
    added = host_.health.add("schema", [probe] { return probe->schema(); });
  }
  if (!added) {
    return added;
  }
  try {
    store_.check_server_limit(kConnectionsOutsidePool);
  } catch (const StoreError& error) {
    if (error.reason() == "connection_limit") {
      return {Code::kFailedPrecondition, error.what()};
    }
    host_.log.warn("database.unavailable_at_start", {{"detail", error.what()}});
  }
  return {};
}

Status StoreProvider::configured(const PluginContext& plugin) {
  if (!plugin.manifest.capabilities.schema) {
    return {};
  }
  const Client client = client_of(plugin.manifest);
  try {
    probe_->add_plan(migration::plan_for(plugin.manifest));
    if (const auto behind = probe_->schema_differences(); !behind.empty()) {
      host_.log.warn("database.schema_differs",
                     {{"context", client.context}, {"detail", behind.front()}});
      return {};
    }
    const auto wrong =
        persistence::check_statements(store_.pool().options().session, client.role,
                                      store_.catalog().statements_of(client.context));
    std::string text;
    for (const std::string& sentence : wrong) {
      text += (text.empty() ? "" : "; ") + sentence;
    }
    return wrong.empty() ? Status{} : Status{Code::kFailedPrecondition, text};
  } catch (const StoreError& error) {
    if (error.status() != PX_UNAVAILABLE) {
      return {static_cast<Code>(error.status()), error.what()};
    }
    host_.log.warn("database.statements_unchecked",
                   {{"context", client.context}, {"detail", error.what()}});
    return {};
  }
}

void StoreProvider::stopped() {
  probe_->close();
  store_.pool().discard_idle();
}

}  // namespace plexsphere::host
