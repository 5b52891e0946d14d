// A database that was restored to an earlier point: undeclared it is found, declared it goes on,
// and nobody declares it without the signer.
#include <sodium.h>

#include <thread>

#include "checkpoint_site.hpp"
#include "host/apps/plexsphere-bootstrap/app.hpp"
#include "plexsphere/sdk/restore_statement.hpp"

namespace plexsphere::audit {
namespace {

using test::CheckpointSite;
using test::LiveAudit;

constexpr auto kUnwatched = "checkpoint_interval = \"100ms\"\nverify_interval = \"1h\"\n";
constexpr auto kWatched = "checkpoint_interval = \"100ms\"\nverify_interval = \"20ms\"\n";

bool eventually(const std::function<bool()>& what) {
  return test_support::wait_until(test::kPatience, what);
}

// State and detail of the failing probe.
std::pair<host::health::State, std::string> reconcile(LiveAudit& live) {
  for (const auto& check : live.health().checks) {
    if (check.name == "audit.reconcile") {
      return {check.outcome.state, check.outcome.detail};
    }
  }
  FAIL("there is no such probe");
  return {};
}

bool says(LiveAudit& live, host::health::State state, const std::string& detail) {
  return eventually([&] {
    const auto [now, text] = reconcile(live);
    return now == state && text.find(detail) != std::string::npos;
  });
}

// A chain with a checkpoint of 3 entries in the backup and one of 9 that came after it; restored,
// and grown a little since.
struct Restored : CheckpointSite {
  explicit Restored(const std::string& settings = kUnwatched) : CheckpointSite(settings) {
    add_and_wait(3);
    REQUIRE(eventually([&] { return head() == 4; }));
    back_up();
    add_and_wait(5);
    last_before = newest();
    restore_backup();
    add(1);
  }
  int restored_entries() const {
    return number(
        "SELECT count(*) FILTER (WHERE relation = 'audit.restored') FROM audit.audit_log_entry");
  }
  std::string request(const std::string& column) const {
    return query("SELECT coalesce(string_agg(" + column + ", ','), '') FROM " +
                 "audit.audit_epoch_request");
  }
  void ask() const {
    database.query(
        "INSERT INTO audit.audit_epoch_request (id, domain_id, reason) VALUES (gen_random_uuid(), "
        "'" +
        domain.text() + "', 'nightly backup')");
  }

  int last_before = 0;
};

// plexsphere-bootstrap audit declare-restored, on a thread of its own.
class Command {
 public:
  Command(const CheckpointSite& site, const std::string& wait) {
    const std::string config = files_
                                   .write("admin.toml", "[database]\nadmin_dsn = \"" +
                                                            site.database.dsn("postgres") + "\"\n")
                                   .string();
    thread_ = std::thread([this, config, wait, chain = site.domain.text()] {
      code_ = host::apps::run_bootstrap({"audit", "declare-restored", "--domain", chain, "--reason",
                                         "nightly backup", "--wait", wait, "--config", config},
                                        out_, err_);
    });
  }
  ~Command() { finish(); }
  int finish() {
    if (thread_.joinable()) {
      thread_.join();
    }
    return code_;
  }
  std::string out() const { return out_.str(); }  // after `finish`
  std::string err() const { return err_.str(); }

 private:
  test_support::TempDir files_;
  std::ostringstream out_;
  std::ostringstream err_;
  int code_ = -1;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a database set back with its checkpoints is found by what the signer remembers",
          "[audit][pg][restored]") {
  Restored site;
  CHECK(says(site.live, host::health::State::kDown,
             "1 chains are not what the signer signed last, one of them " + site.domain.text() +
                 " of which " + std::to_string(site.last_before) + " entries were signed"));
  CHECK(site.quarantined() == "set_back");
  CHECK(site.newest() == 3);
  // Looked at again, but less and less often: after 0.1, 0.2, 0.4, 0.8 s.
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 4; ++i) {
    REQUIRE(site.fails_again("broken"));
  }
  CHECK(std::chrono::steady_clock::now() - began > std::chrono::milliseconds(600));
  // However far it grows: a larger checkpoint would be another chain's.
  site.add(20);
  REQUIRE(site.fails_again("broken"));
  CHECK(site.newest() == 3);
  // A process that starts now hears it from the signer too.
  LiveAudit later(site.database, 16, kUnwatched, site.signer.table());
  CHECK(site.checkpoints() == 1);
}

TEST_CASE("a restore that is asked for and permitted is declared, and the chain goes on",
          "[audit][pg][restored]") {
  Restored site(kWatched);
  REQUIRE(
      says(site.live, host::health::State::kDown, "do not hold"));  // it has read more than that
  Command command(site, "60");
  REQUIRE(eventually([&] { return site.request("detail").starts_with("waits for the signer's"); }));
  CHECK(site.restored_entries() == 0);
  const std::string text = site.request("statement");
  const auto said = sdk::parse_restore(text);
  REQUIRE(said);
  CHECK(said->before.size == static_cast<std::uint64_t>(site.last_before));
  CHECK(said->after == sdk::TreeHead{3, test::root_of_entries(site.database, site.domain, 3)});
  CHECK(said->reason == "nightly backup");

  site.signer.permit(text);
  CHECK(command.finish() == 0);
  INFO(command.err());
  CHECK_THAT(command.out(), Catch::Contains("plexsphere-signer-permit STATE_DIRECTORY <<'END'\n" +
                                            text + "END\ndeclared: epoch 2: "));
  CHECK(site.restored_entries() == 1);
  CHECK_THAT(site.query("SELECT convert_from(canonical_bytes, 'UTF8') FROM audit.audit_log_entry "
                        "e JOIN (SELECT domain_id FROM audit.audit_epoch) x USING (domain_id)"),
             Catch::Contains("\"audit.restored\"") && Catch::Contains("reason:nightly backup"));
  // Signed again, from there on, in the epoch.
  REQUIRE(eventually([&] { return site.newest() > 3; }));
  CHECK_THAT(site.query("SELECT note FROM audit.audit_checkpoint c JOIN (SELECT max(size) AS size "
                        "FROM audit.audit_checkpoint) m USING (size)"),
             Catch::Contains("\nepoch 2\n"));
  CHECK(says(site.live, host::health::State::kOk,
             "restored to an earlier point, as declared: " + site.domain.text() +
                 " (epoch 2, 3 of " + std::to_string(site.last_before) + " entries)"));
  const auto list = site.live.call("GET /v1/domains/{domain_id}/audit/checkpoints",
                                   {{"domain_id", site.domain.text()}});
  CHECK_THAT(list.body, Catch::Contains("\"restores\":[{\"epoch\":2"));
  // What was found before it was declared stays on record.
  CHECK_FALSE(site.quarantined().empty());
  site.add_and_wait(300);
  CHECK(reconcile(site.live).first == host::health::State::kOk);
}

TEST_CASE("a statement that the signer never signed declares nothing", "[audit][pg][restored]") {
  const bool watched = GENERATE(true, false);  // by a process that has read what was lost
  Restored site(watched ? kWatched : kUnwatched);
  const std::string finding = watched ? "do not hold" : "not what the signer signed last";
  REQUIRE(says(site.live, host::health::State::kDown, finding));
  // A key and a statement of the database's administrator, who can write what they like.
  unsigned char open[crypto_sign_PUBLICKEYBYTES];
  unsigned char secret[crypto_sign_SECRETKEYBYTES];
  crypto_sign_keypair(open, secret);
  const std::string key(reinterpret_cast<const char*>(open), sizeof open);
  const std::string origin = "plexsphere/audit/domain:" + site.domain.text();
  const std::string text =
      sdk::restore_text({origin,
                         2,
                         {9, std::string(32, 'r')},
                         {3, test::root_of_entries(site.database, site.domain, 3)},
                         1'800'000'000,
                         "forged"});
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), secret);
  const std::string note =
      sdk::note_text({text, {{origin, sdk::note_key_id(&sha256, {origin, key}), signature}}});
  site.database.query(
      "INSERT INTO audit.audit_epoch (domain_id, epoch, before_size, after_size, note, key_id, "
      "public_key) VALUES ('" +
      site.domain.text() + "', 2, 9, 3, convert_from('\\x" + sdk::hex_encode(note) +
      "', 'UTF8'), 'k', '\\x" + sdk::hex_encode(key) + "')");
  const int calls = site.signer.calls();
  REQUIRE(eventually([&] { return site.signer.calls() > calls + 2; }));  // who are asked about it
  CHECK(says(site.live, host::health::State::kDown, finding));
  CHECK(site.newest() == 3);
}

TEST_CASE("there is nothing to declare of a chain that is what was signed, or none of its own",
          "[audit][pg][restored]") {
  CheckpointSite site(kUnwatched);
  site.add_and_wait(5);
  SECTION("nothing was lost") {
    Command command(site, "30");
    CHECK(command.finish() == 1);
    CHECK_THAT(command.err(), Catch::StartsWith("refused: nothing was lost: "));
  }
  SECTION("entries alone were set back, and not the checkpoints over them") {
    site.set_back(3);
    Command command(site, "30");
    CHECK(command.finish() == 1);
    CHECK_THAT(command.err(), Catch::Contains("refused: the chain is not that of its own newest"));
  }
  SECTION("the signer is away") {
    site.signer.be(test::TestSigner::Mood::kAway);
    Command command(site, "10");
    CHECK(command.finish() == 1);
    CHECK_THAT(command.err(), Catch::StartsWith("still open: the signer cannot be asked"));
  }
}

TEST_CASE("a tree whose nodes were damaged is grown anew, and proved", "[audit][pg][restored]") {
  CheckpointSite site(kUnwatched);
  site.add_and_wait(700);
  const test_support::TempDir files;
  const std::string config = files
                                 .write("admin.toml", "[database]\nadmin_dsn = \"" +
                                                          site.database.dsn("postgres") + "\"\n")
                                 .string();
  const auto rebuild = [&] {
    std::ostringstream out;
    std::ostringstream err;
    const int code = host::apps::run_bootstrap(
        {"audit", "rebuild-tree", "--domain", site.domain.text(), "--config", config}, out, err);
    INFO(err.str());
    CHECK(code == 0);
    return out.str();
  };
  const int before = site.newest();
  site.database.tamper("UPDATE audit.audit_tree_node SET hash = sha256(hash) WHERE idx = 1");
  site.add(1);
  REQUIRE(site.fails_again("broken"));
  CHECK(rebuild() ==
        "dropped 2 nodes; the next checkpoint grows them anew and proves them against the last\n");
  REQUIRE(eventually([&] { return site.newest() > before; }));
  CHECK(site.query("SELECT encode((array_agg(root_hash ORDER BY size DESC))[1], 'hex') FROM "
                   "audit.audit_checkpoint") ==
        sdk::hex_encode(test::root_of_entries(site.database, site.domain, site.newest())));

  CHECK(site.database.refusal("audit", "SELECT audit.drop_tree(gen_random_uuid())") ==
        "permission denied");
}

TEST_CASE("no runtime role asks for a declaration, or changes one", "[audit][pg][restored]") {
  const test::ChainDatabase& database = test::fresh_database();
  for (const char* table : {"audit_epoch", "audit_epoch_request"}) {
    CHECK(database.refusal("audit", std::string("DELETE FROM audit.") + table) ==
          "permission denied");
  }
  CHECK(database.refusal("audit",
                         "INSERT INTO audit.audit_epoch_request (id, domain_id, reason) VALUES "
                         "(gen_random_uuid(), gen_random_uuid(), 'x')") == "permission denied");
  CHECK(database.refusal("guest", "SELECT * FROM audit.audit_epoch") == "permission denied");
}

}  // namespace plexsphere::audit
