// The append function and the database's own walls, as SQL sees them.
#include <atomic>
#include <catch2/catch.hpp>
#include <pqxx/result_iterator.hxx>
#include <thread>

#include "chain_database.hpp"
#include "host/persistence/store_error.hpp"

namespace plexsphere::audit {
namespace {

using host::persistence::Session;
using host::persistence::StoreError;
using sdk::Uuid;
using test::append_call;
using test::ChainDatabase;
using test::independent_verification;
using test::row_of;

ChainDatabase& database() {
  static ChainDatabase instance;
  return instance;
}

Uuid new_chain() {
  return Uuid::v7(1);
}

std::string add_checkpoint(const Uuid& chain, int size) {
  const std::string hash = "decode(repeat('ab', 32), 'hex')";
  return "INSERT INTO audit.audit_checkpoint (domain_id, size, root_hash, note, key_id, "
         "public_key) "
         "VALUES ('" +
         chain.text() + "', " + std::to_string(size) + ", " + hash + ", 'note', 'k', " + hash + ")";
}

void append(Session& session, const std::vector<Row>& rows) {
  session.begin({"plexsphere_guest", false, {}});
  session.run(append_call(rows));
  session.commit();
}

std::string count(const std::string& from_where) {
  return database().query("SELECT count(*) FROM audit." + from_where);
}

TEST_CASE("one call appends entries of several chains, each from genesis without a gap",
          "[audit][pg]") {
  const Uuid a = std::min(new_chain(), new_chain());
  const Uuid b = Uuid::v7(2);
  auto session = database().session();
  append(session, {row_of(a, "one"), row_of(a, "two"), row_of(b, "three")});
  append(session, {row_of(a, "four")});
  CHECK(independent_verification(database(), a) == 3);
  CHECK(independent_verification(database(), b) == 1);
  CHECK(database().query("SELECT seq FROM audit.audit_log_chain_head WHERE domain_id = '" +
                         a.text() + "'") == "3");
  CHECK(database().query("SELECT relation || '|' || object_id || '|' || reason || '|' || "
                         "occurred_at AT TIME ZONE 'UTC' FROM audit.audit_log_entry "
                         "WHERE domain_id = '" +
                         b.text() + "'") ==
        "three|o'bject \"1\"|granted|2026-01-15 10:30:00.123456");
}

TEST_CASE("who and from where stand beside the chain, the subject once", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto session = database().session();
  append(session, {row_of(chain, "one"), row_of(chain, "two")});
  append(session, {row_of(chain, "three")});
  const std::string of_chain = " WHERE domain_id = '" + chain.text() + "'";
  CHECK(count("audit_subject_pii" + of_chain) == "1");
  CHECK(count("audit_request_context" + of_chain + " AND source_ip = '192.0.2.7'") == "3");
  CHECK(database()
            .query("SELECT encode(canonical_bytes, 'escape') FROM audit.audit_log_entry" + of_chain)
            .find("0190a1b2-c3d4-7e5f") == std::string::npos);
}

TEST_CASE("a transaction that rolls back leaves no trace and no gap", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto session = database().session();
  append(session, {row_of(chain, "kept")});
  session.begin({"plexsphere_guest", false, {}});
  session.run(append_call({row_of(chain, "dropped")}));
  session.rollback();
  append(session, {row_of(chain, "kept")});
  CHECK(independent_verification(database(), chain) == 2);
}

TEST_CASE("concurrent appenders of shared chains neither fork nor deadlock", "[audit][pg]") {
  const Uuid a = Uuid::v7(1);
  const Uuid b = Uuid::v7(2);
  constexpr int kThreads = 8;
  constexpr int kRounds = 20;
  std::atomic<int> failures = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        try {
          auto session = database().session();
          for (int i = 0; i < kRounds; ++i) {
            append(session, t % 2 == 0 ? std::vector<Row>{row_of(a, "x"), row_of(b, "y")}
                                       : std::vector<Row>{row_of(b, "y"), row_of(b, "z")});
          }
        } catch (const StoreError&) {
          ++failures;
        }
      });
    }
  }
  CHECK(failures == 0);
  CHECK(independent_verification(database(), a) == kThreads / 2 * kRounds);
  CHECK(independent_verification(database(), b) == kThreads / 2 * kRounds * 3);
}

TEST_CASE("an appender waits for the one before it and continues from its head", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto first = database().session();
  auto second = database().session();
  first.begin({"plexsphere_guest", false, {}});
  first.run(append_call({row_of(chain, "first")}));
  std::jthread waiting([&] { append(second, {row_of(chain, "second")}); });
  first.commit();
  waiting.join();
  CHECK(independent_verification(database(), chain) == 2);
}

TEST_CASE("what would deadlock or lie is refused and writes nothing", "[audit][pg]") {
  const Uuid a = Uuid::v7(1);
  const Uuid b = Uuid::v7(2);
  CHECK(database().refusal("guest", append_call({row_of(b, "x"), row_of(a, "y")})) ==
        "audit_chains_unordered");
  Row foreign = row_of(a, "x");
  foreign.chain = b;
  CHECK(database().refusal("guest", append_call({foreign})) == "audit_head_of_another_chain");
  std::string uneven = append_call({row_of(a, "x")});
  uneven.replace(uneven.rfind("ARRAY["), std::string::npos, "ARRAY[]::text[])");
  CHECK(database().refusal("guest", uneven) == "audit_arrays_differ");
  CHECK(independent_verification(database(), a) == 0);
  CHECK(independent_verification(database(), b) == 0);
}

TEST_CASE("the append function is for those who were granted the port", "[audit][pg]") {
  const Uuid chain = new_chain();
  CHECK(database().refusal("guest", append_call({row_of(chain, "x")})).empty());
  CHECK(database().refusal("audit", append_call({row_of(chain, "x")})).empty());
  CHECK(database().refusal("stranger", append_call({row_of(chain, "x")})) == "permission denied");
}

TEST_CASE("no runtime role changes, removes or forges what is recorded", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto session = database().session();
  append(session, {row_of(chain, "kept")});
  for (const std::string role : {"audit", "guest", "stranger"}) {
    for (const std::string table :
         {"audit_log_entry", "audit_log_chain_head", "audit_subject_pii", "audit_request_context",
          "audit_pepper", "audit_tamper_quarantine", "audit_tree_node", "audit_checkpoint"}) {
      INFO(role << " on " << table);
      CHECK(database().refusal(role, "DELETE FROM audit." + table) == "permission denied");
      CHECK(database().refusal(role, "TRUNCATE audit." + table) == "permission denied");
      CHECK(database().refusal(role, "UPDATE audit." + table + " SET domain_id = domain_id") ==
            "permission denied");
    }
    CHECK(database().refusal(role,
                             "INSERT INTO audit.audit_log_chain_head VALUES (gen_random_uuid(), 1, "
                             "decode(repeat('00', 32), 'hex'))") == "permission denied");
  }
  CHECK(database().refusal("guest", "SELECT FROM audit.audit_log_entry") == "permission denied");
  CHECK(database().refusal("guest", "SELECT FROM audit.audit_pepper") == "permission denied");
  CHECK(independent_verification(database(), chain) == 1);
}

TEST_CASE("triggers hold against the owner and the superuser too", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto session = database().session();
  append(session, {row_of(chain, "kept")});
  const std::string of_chain = " WHERE domain_id = '" + chain.text() + "'";
  const auto refused = [&](const std::string& sql) {
    for (const std::string as : {"", "SET ROLE plexsphere_audit_owner; "}) {
      INFO(as << sql);
      CHECK_THROWS_WITH(database().query(as + sql), Catch::Contains("audit_append_only"));
    }
  };
  refused("UPDATE audit.audit_log_entry SET relation = 'other'" + of_chain);
  refused("UPDATE audit.audit_log_entry SET canonical_bytes = ''" + of_chain);
  refused("DELETE FROM audit.audit_log_entry" + of_chain);
  refused("TRUNCATE audit.audit_log_entry");
  refused("UPDATE audit.audit_log_chain_head SET seq = seq" + of_chain);
  refused("DELETE FROM audit.audit_log_chain_head" + of_chain);
  refused("TRUNCATE audit.audit_log_chain_head");
}

TEST_CASE("checkpoints of a chain only grow, never beyond it, and stay", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto session = database().session();
  append(session, {row_of(chain, "a"), row_of(chain, "b"), row_of(chain, "c")});
  const auto add = [&](int size) { return add_checkpoint(chain, size); };
  CHECK(database().refusal("guest", add(2)) == "permission denied");
  CHECK(database().refusal("audit", add(4)) == "audit_checkpoint_beyond_head");
  CHECK(database().refusal("audit", add(2)).empty());
  CHECK(database().refusal("audit", add(2)) == "audit_checkpoint_not_newer");
  CHECK(database().refusal("audit", add(1)) == "audit_checkpoint_not_newer");
  CHECK(database().refusal("audit", add(3)).empty());
  const std::string node = "INSERT INTO audit.audit_tree_node VALUES ('" + chain.text() +
                           "', 8, 0, decode(repeat('ab', 32), 'hex'))";
  CHECK(database().refusal("audit", node).empty());
  for (const std::string table : {"audit_checkpoint", "audit_tree_node"}) {
    for (const std::string& sql : {"DELETE FROM audit." + table, "TRUNCATE audit." + table,
                                   "UPDATE audit." + table + " SET domain_id = domain_id"}) {
      INFO(sql);
      CHECK_THROWS_WITH(database().query(sql), Catch::Contains("audit_append_only"));
    }
  }
}

TEST_CASE("of two who add a checkpoint at once the second sees the first", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto first = database().session();
  append(first, {row_of(chain, "a"), row_of(chain, "b")});
  const auto add = [&](int size) { return add_checkpoint(chain, size); };
  first.begin({"plexsphere_audit", false, {}});
  first.run(add(2));
  std::string refusal;  // the lock is ours already, so the other waits until our commit
  std::jthread waiting([&] { refusal = database().refusal("audit", add(1)); });
  first.commit();
  waiting.join();
  CHECK(refusal == "audit_checkpoint_not_newer");
}

TEST_CASE("an entry is stamped as archived once and only that", "[audit][pg]") {
  const Uuid chain = new_chain();
  auto session = database().session();
  append(session, {row_of(chain, "kept")});
  const std::string of_chain = " WHERE domain_id = '" + chain.text() + "'";
  const std::string stamp =
      "UPDATE audit.audit_log_entry SET archive_etag = 'e1', archived_at = now()";
  CHECK_THROWS(database().query(stamp + ", reason = 'unknown'" + of_chain));
  database().query(stamp + of_chain);
  CHECK_THROWS(database().query(stamp + of_chain));
  CHECK(independent_verification(database(), chain) == 1);
}

}  // namespace
}  // namespace plexsphere::audit
