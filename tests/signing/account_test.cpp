// Every place in the signer's journal has an audit row of the core, or shows as a gap.
#include <grpcpp/grpcpp.h>

#include <filesystem>
#include <sstream>

#include "plexsphere/sdk/encoding.hpp"
#include "signing.grpc.pb.h"
#include "signing_site.hpp"

using namespace plexsphere;
using namespace plexsphere::signing_site;

namespace {

namespace wire = plexsphere::signing::v1;

// A row about a call to the signer, as an auditor reads it.
struct Row {
  std::string relation;
  std::string object_id;
  std::vector<std::string> path;
};

// Words apart.
std::vector<std::string> words(const std::string& line) {
  std::istringstream text(line);
  return {std::istream_iterator<std::string>(text), std::istream_iterator<std::string>()};
}

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

// The rows about calls in a Domain's chain, in order.
std::vector<Row> rows(Site& site, const std::string& domain) {
  const std::string said = site.sql(
      "SELECT string_agg(relation || ' ' || object_id || ' ' || (SELECT string_agg(step, ' ') FROM "
      "jsonb_array_elements_text(convert_from(canonical_bytes, 'UTF8')::jsonb -> "
      "'relation_path') AS step), E'\\n' ORDER BY seq) FROM audit.audit_log_entry "
      "WHERE object_type = 'signing-key' AND domain_id = '" +
      domain + "'");
  std::vector<Row> out;
  for (const std::string& line : lines(said)) {
    std::vector<std::string> all = words(line);
    REQUIRE(all.size() >= 3);
    out.push_back({all[0], all[1], {all.begin() + 2, all.end()}});
  }
  return out;
}

// Rows of this relation, in order.
std::vector<Row> rows(Site& site, const std::string& domain, const std::string& relation) {
  std::vector<Row> out = rows(site, domain);
  std::erase_if(out, [&](const Row& row) { return row.relation != relation; });
  return out;
}

// How many rows of all chains have a relation path like this.
std::string rows_with(Site& site, const std::string& path) {
  return site.sql(
      "SELECT count(*) FROM audit.audit_log_entry WHERE object_type = 'signing-key' AND "
      "convert_from(canonical_bytes, 'UTF8')::jsonb -> 'relation_path' " +
      path);
}

std::filesystem::path signer_state(Site& site) {
  return site.deployment.directory() / "signer-state";
}

// As the operator's page has it: the places of all rows of all chains, held against the signer's
// journal. The core is stopped first, so that no call is under way.
test_support::Completed close_account(Site& site) {
  site.core().stop();
  const auto account = site.deployment.directory() / "places";
  std::ofstream(account) << site.sql(
      "SELECT string_agg(step, E'\\n') FROM audit.audit_log_entry, jsonb_array_elements_text("
      "convert_from(canonical_bytes, 'UTF8')::jsonb -> 'relation_path') AS step "
      "WHERE object_type = 'signing-key' AND step LIKE 'journal:%'");
  return test_support::run(e2e::Deployment::binaries() / "plexsphere-signer-journal",
                           {"verify", signer_state(site).string(), "--account", account.string()});
}

// The signer's record of the call that the row is about.
std::vector<std::string> record_of(Site& site, const Row& row) {
  const std::string journal =
      test_support::read_file(signer_state(site) / "journal" / "00000000000000000001.journal");
  for (const std::string& line : lines(journal)) {
    const std::vector<std::string> all = words(line);
    if (all.size() == 13 &&
        row.path.front() == "journal:" + all[0] + ":" + all[1] + ":" + all[12]) {
      return all;
    }
  }
  FAIL("the journal has no " + row.path.front());
  return {};
}

// A signature that the core knows nothing of.
grpc::Status sign_beside_the_core(Site& site, const std::string& scope, const std::string& key_id) {
  const auto column = [&](const std::string& name) {
    return *sdk::hex_decode(site.sql("SELECT encode(" + name +
                                     ", 'hex') FROM signing_client.key_set WHERE scope = '" +
                                     scope + "' ORDER BY number DESC LIMIT 1"));
  };
  wire::SignRequest request;
  request.set_scope(scope);
  request.set_purpose(wire::PURPOSE_EVENTS);
  request.add_messages(event_under(key_id));
  request.mutable_key_set()->set_document(column("document"));
  request.mutable_key_set()->set_signature(column("signature"));
  request.mutable_key_set()->set_document_key(column("document_key"));
  const std::string socket = (site.deployment.directory() / "run" / "signer.sock").string();
  const auto stub = wire::SignerService::NewStub(
      grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + 20s);
  wire::SignResponse response;
  return stub->Sign(&context, request, &response);
}

// Larger than any that a core makes by itself.
std::string note(const std::string& scope) {
  return "plexsphere.example/audit/" + scope +
         "\n1000000000\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
}

}  // namespace

// A core may sign checkpoints of its own accord meanwhile, so rows and places are not counted.

TEST_CASE("every call to the signer leaves a row with its place in the journal", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  CHECK(outcome(site.sign(scope, "k9", "k9")) == "key_not_found");
  const std::vector<std::string> notes{note(scope)};
  REQUIRE(outcome(result_of<sdk::Signatures>([&](auto done) {
            site.signing().sign(scope, PX_SIGN_CHECKPOINT, "", notes, std::move(done));
          })) == "done");
  CHECK(outcome(site.close(scope)) == "no_open_rotation");  // asked of nobody
  const std::string second = site.open(scope)->key_id;
  CHECK(outcome(site.close(scope)) == "rotation_in_progress");
  const test_support::Completed account = close_account(site);
  CAPTURE(account.out, account.err);
  CHECK(account.code == 0);

  const auto check = [&](const Row& row, const std::string& key, const std::string& rpc,
                         const std::string& said) {
    CHECK(row.object_id == scope + "#" + key);
    const std::vector<std::string> record = record_of(site, row);
    CHECK(record[3] == rpc);
    CHECK(record[4] == scope);
    CHECK(record[6] == key);
    CHECK(record[7] == said);
    CHECK(row.path.size() == (said == "ok" ? 1 : 2));
    CHECK(row.path.back() == (said == "ok" ? row.path.front() : "refused:" + said));
  };
  const std::vector<Row> opened = rows(site, domain, "signing.open_rotation_call");
  REQUIRE(opened.size() == 2);
  check(opened[0], key_id, "open_rotation", "ok");
  check(opened[1], second, "open_rotation", "ok");
  const std::vector<Row> events = rows(site, domain, "signing.sign");
  REQUIRE(events.size() == 2);
  check(events[0], key_id, "sign", "ok");
  check(events[1], "k9", "sign", "key_not_found");
  const std::vector<Row> closed = rows(site, domain, "signing.close_rotation_call");
  REQUIRE(closed.size() == 1);
  check(closed[0], key_id, "close_rotation", "rotation_in_progress");
  const std::vector<Row> checkpoints = rows(site, domain, "signing.checkpoint");
  REQUIRE_FALSE(checkpoints.empty());
  for (const Row& row : checkpoints) {
    CHECK(record_of(site, row)[5] == "checkpoints");
  }
}

TEST_CASE("a signature that the core did not account for shows as a gap", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  REQUIRE(sign_beside_the_core(site, scope, key_id).ok());
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  const test_support::Completed account = close_account(site);
  CAPTURE(account.out, account.err);
  CHECK(account.code == 3);
  const std::vector<std::string> unaccounted = words(lines(account.out).at(0));
  REQUIRE(unaccounted.size() == 12);
  CHECK(unaccounted[0] == "unaccounted");
  CHECK(unaccounted[4] == "sign");
  CHECK(unaccounted[5] == scope);
  CHECK(lines(account.out).at(1).starts_with("instance "));  // it is the only one
  // It lies between the rows before and after it, which vouch for it by their heads.
  const std::vector<Row> found = rows(site, domain, "signing.sign");
  REQUIRE(found.size() == 2);
  const auto seq = std::stoull(unaccounted[2]);
  CHECK(std::stoull(record_of(site, found[0])[1]) < seq);
  CHECK(std::stoull(record_of(site, found[1])[1]) > seq);
}

TEST_CASE("catching up leaves no gap", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string first = site.open(scope)->key_id;
  (void)site.open(scope);
  site.forget_newest(scope);
  REQUIRE(outcome(site.sign(scope, first, first)) == "done");
  const test_support::Completed account = close_account(site);
  CAPTURE(account.out, account.err);
  CHECK(account.code == 0);
  CHECK_FALSE(rows(site, domain, "signing.public_key").empty());
  CHECK(rows(site, domain, "signing.public_key")[0].object_id == scope);
  CHECK_FALSE(rows(site, domain, "signing.sign").empty());
}

TEST_CASE("without its row a signature is given to nobody, and its place rides in a later row",
          "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  site.sql("ALTER TABLE audit.audit_log_entry RENAME TO away");
  CHECK(outcome(site.sign(scope, "", key_id)) == "audit_unavailable");
  site.sql("ALTER TABLE audit.away RENAME TO audit_log_entry");
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  const test_support::Completed account = close_account(site);
  CAPTURE(account.out, account.err);
  CHECK(account.code == 0);
  CHECK(rows(site, domain, "signing.sign").size() == 1);
  CHECK(rows_with(site, "->> 1 LIKE 'journal:%'") != "0");
}

TEST_CASE("calls whose answer never came are counted in a later row", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  site.deployment.stop_signer();
  CHECK(outcome(site.sign(scope, "", key_id)) == "signing_unavailable");
  site.deployment.start_signer();
  REQUIRE(outcome(site.sign_patiently(scope, "", key_id)) == "done");
  CHECK(rows_with(site, "->> 1 LIKE 'unanswered:%'") != "0");
}

TEST_CASE("a signer whose state was set back is found out and not believed", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  const auto copy = site.deployment.directory() / "signer-state-copy";
  site.deployment.stop_signer();
  std::filesystem::copy(signer_state(site), copy, std::filesystem::copy_options::recursive);
  site.deployment.start_signer();
  REQUIRE(outcome(site.sign_patiently(scope, "", key_id)) == "done");
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  site.deployment.stop_signer();
  std::filesystem::remove_all(signer_state(site));
  std::filesystem::rename(copy, signer_state(site));
  site.deployment.start_signer();
  CHECK(outcome(site.sign_patiently(scope, "", key_id)) == "signing_journal_regressed");
  // The row is written all the same: one place under two heads.
  const test_support::Completed account = close_account(site);
  CAPTURE(account.out, account.err);
  CHECK(account.code == 3);
  CHECK(account.out.find("contradicted ") != std::string::npos);
}
