#include <catch2/catch.hpp>

#include "host/outbox/outbox.hpp"
#include "host/persistence/error_capture.hpp"
#include "host/persistence/tests/database_fixture.hpp"

namespace plexsphere::host::outbox {
namespace {

using namespace plexsphere::host::testing;
using persistence::Store;

Database& database() {
  static Database instance;
  return instance;
}

px_str view(std::string_view text) {
  return {text.data(), text.size()};
}

px_event event(std::string_view type, std::string_view payload = "{\"n\": 1}") {
  px_event out{};
  out.struct_size = sizeof out;
  out.type = view(type);
  out.aggregate_type = view("item");
  out.aggregate_id.b[15] = 9;
  out.payload = view(payload);
  out.correlation_id = view("c-1");
  return out;
}

struct Fixture {
  Fixture() : store(database().options(), {}), outbox(store) {
    database().cluster.query("TRUNCATE alpha.item, beta.note, platform.outbox");
    insert = declare(store, beta, "INSERT INTO beta.note (id) VALUES ($1)", {PX_TYPE_INT64});
    project = declare(store, alpha, "SELECT * FROM alpha.port_add($1, $2)",
                      {PX_TYPE_INT64, PX_TYPE_TEXT}, {PX_TYPE_INT64}, PX_STATEMENT_PORT);
  }
  std::string query(const std::string& sql) { return database().cluster.query(sql); }

  Store store;
  Outbox outbox;
  persistence::Client alpha = client("alpha");
  persistence::Client beta = client("beta");
  std::uint32_t insert = 0;
  std::uint32_t project = 0;
};

// alpha's projection of beta's events: one item per event, its id the count so far.
struct Projection {
  Fixture& fixture;
  std::vector<std::string> seen;
  std::int64_t next = 1;
  std::string label = "projected";

  static px_status run(void* ctx, px_tx* tx, const px_event* const* events, std::uint64_t count,
                       px_error* err) {
    auto& self = *static_cast<Projection*>(ctx);
    return persistence::guarded_call(err, [&] {
      for (std::uint64_t i = 0; i < count; ++i) {
        self.seen.emplace_back(events[i]->type.ptr, events[i]->type.len);
        execute(self.fixture.store, self.fixture.alpha, tx, self.fixture.project,
                {integer(self.next), text(self.label + std::to_string(self.next))});
        ++self.next;
      }
    });
  }
};

TEST_CASE_METHOD(Fixture, "events and their projections commit with the change", "[outbox]") {
  Projection projection{*this, {}};
  outbox.subscribe("alpha", "beta.Noted", &Projection::run, &projection);
  px_tx* tx = store.begin(beta, {});
  execute(store, beta, tx, insert, {integer(1)});
  outbox.append(tx, event("beta.Noted"));
  outbox.append(tx, event("beta.Ignored"));
  outbox.append(tx, event("beta.Noted"));
  CHECK(projection.seen.empty());
  store.commit(tx);
  CHECK(projection.seen == std::vector<std::string>{"beta.Noted", "beta.Noted"});
  CHECK(query("SELECT count(*) FROM alpha.item") == "2");
  CHECK(query("SELECT count(*), count(published_seq), count(domain_id) FROM platform.outbox") ==
        "3|0|0");
  CHECK(query("SELECT event_type, payload->>'n', correlation_id, aggregate_type, "
              "substring(id::text, 15, 1) FROM platform.outbox ORDER BY event_type LIMIT 1") ==
        "beta.Ignored|1|c-1|item|7");
  CHECK(query("SELECT count(*) FROM platform.outbox_default") == "0");
}

TEST_CASE_METHOD(Fixture, "a projection that fails takes the whole transaction with it",
                 "[outbox]") {
  Projection projection{*this, {}};
  projection.label = "same";
  projection.next = -1;  // refused by the table's check
  outbox.subscribe("alpha", "beta.Noted", &Projection::run, &projection);
  px_tx* tx = store.begin(beta, {});
  execute(store, beta, tx, insert, {integer(1)});
  outbox.append(tx, event("beta.Noted"));
  const auto error = failure_of([&] { store.commit(tx); });
  CHECK(error.status() == PX_INVALID_ARGUMENT);
  CHECK(query("SELECT (SELECT count(*) FROM beta.note) + (SELECT count(*) FROM platform.outbox)") ==
        "0");
}

TEST_CASE_METHOD(Fixture, "a context that withdrew is not called any more, and events go on",
                 "[outbox]") {
  Projection projection{*this, {}};
  outbox.subscribe("alpha", "beta.Noted", &Projection::run, &projection);
  outbox.unsubscribe("alpha");
  px_tx* tx = store.begin(beta, {});
  outbox.append(tx, event("beta.Noted"));
  store.commit(tx);
  CHECK(projection.seen.empty());
  CHECK(query("SELECT count(*) FROM platform.outbox") == "1");
}

TEST_CASE_METHOD(Fixture, "a rolled back transaction leaves no event", "[outbox]") {
  px_tx* tx = store.begin(beta, {});
  outbox.append(tx, event("beta.Noted"));
  store.rollback(tx);
  CHECK(query("SELECT count(*) FROM platform.outbox") == "0");
}

TEST_CASE_METHOD(Fixture, "a projection may append events of its own, within bounds", "[outbox]") {
  struct Chain {
    Outbox& outbox;
    int left;
    static px_status run(void* ctx, px_tx* tx, const px_event* const*, std::uint64_t,
                         px_error* err) {
      auto& self = *static_cast<Chain*>(ctx);
      return persistence::guarded_call(err, [&] {
        if (self.left-- > 0) {
          self.outbox.append(tx, event("beta.Chain"));
        }
      });
    }
  };
  Chain chain{outbox, 3};
  outbox.subscribe("alpha", "beta.Chain", &Chain::run, &chain);
  px_tx* tx = store.begin(beta, {});
  outbox.append(tx, event("beta.Chain"));
  store.commit(tx);
  CHECK(query("SELECT count(*) FROM platform.outbox") == "4");
  chain.left = 1000;
  tx = store.begin(beta, {});
  outbox.append(tx, event("beta.Chain"));
  CHECK(failure_of([&] { store.commit(tx); }).reason() == "projection_loop");
}

TEST_CASE_METHOD(Fixture, "events that are not whole are refused when appended", "[outbox]") {
  px_tx* tx = store.begin(beta, {});
  const auto status = [&](px_event wrong) {
    return failure_of([&] { outbox.append(tx, wrong); }).status();
  };
  CHECK(status(event("")) == PX_INVALID_ARGUMENT);
  CHECK(status(event("beta.Noted", "[]")) == PX_INVALID_ARGUMENT);
  CHECK(status(event("beta.Noted", "{" + std::string(kMaxPayloadBytes, ' ') + "}")) ==
        PX_INVALID_ARGUMENT);
  px_event nobody = event("beta.Noted");
  nobody.aggregate_id = {};
  CHECK(status(nobody) == PX_INVALID_ARGUMENT);
  store.rollback(tx);
  tx = store.begin(beta, {});
  outbox.append(tx, event("beta.Noted", "{broken"));
  CHECK(failure_of([&] { store.commit(tx); }).status() == PX_INVALID_ARGUMENT);
}

TEST_CASE_METHOD(Fixture, "a role without the outbox cannot append, whatever the host staged",
                 "[outbox]") {
  query("REVOKE port_outbox FROM plexsphere_beta");
  px_tx* tx = store.begin(beta, {});
  outbox.append(tx, event("beta.Noted"));
  CHECK(failure_of([&] { store.commit(tx); }).status() == PX_PERMISSION_DENIED);
  query("GRANT port_outbox TO plexsphere_beta");
}

}  // namespace
}  // namespace plexsphere::host::outbox
