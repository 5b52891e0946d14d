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

// "journal:<instance>:<seq>:<head>" → seq.
std::uint64_t seq_of(const std::string& step) {
  REQUIRE(step.starts_with("journal:"));
  const std::size_t at = step.find(':', 8) + 1;
  return std::stoull(step.substr(at));
}

// The places that the signer has given out, as rows spell them, from its own file.
std::vector<std::string> journal(Site& site) {
  const auto file =
      site.deployment.directory() / "signer-state" / "journal" / "00000000000000000001.journal";
  std::vector<std::string> out;
  for (const std::string& line : lines(test_support::read_file(file))) {
    const std::vector<std::string> all = words(line);
    if (all.size() == 13) {
      out.push_back("journal:" + all[0] + ":" + all[1] + ":" + all[12]);
    }
  }
  return out;
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

std::string note(const std::string& scope) {
  return "plexsphere.example/audit/" + scope +
         "\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
}

}  // namespace

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

  const std::vector<Row> found = rows(site, domain);
  const std::vector<std::string> places = journal(site);
  REQUIRE(found.size() == 6);
  REQUIRE(places.size() == 6);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].path.front() == places[i]);
    CHECK(seq_of(found[i].path.front()) == i + 1);
  }
  CHECK(found[0].relation == "signing.open_rotation_call");
  CHECK(found[0].object_id == scope + "#" + key_id);
  CHECK(found[0].path.size() == 1);
  CHECK(found[1].relation == "signing.sign");
  CHECK(found[1].object_id == scope + "#" + key_id);
  CHECK(found[2].relation == "signing.sign");
  CHECK(found[2].object_id == scope + "#k9");
  CHECK(found[2].path.back() == "refused:key_not_found");
  CHECK(found[3].relation == "signing.checkpoint");
  CHECK(found[4].relation == "signing.open_rotation_call");
  CHECK(found[4].object_id == scope + "#" + second);
  CHECK(found[5].relation == "signing.close_rotation_call");
  CHECK(found[5].object_id == scope + "#" + key_id);
  CHECK(found[5].path.back() == "refused:rotation_in_progress");
}

TEST_CASE("a signature that the core did not account for shows as a gap", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  REQUIRE(sign_beside_the_core(site, scope, key_id).ok());
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  const std::vector<Row> found = rows(site, domain);
  REQUIRE(found.size() == 3);
  CHECK(seq_of(found[1].path.front()) == 2);
  CHECK(seq_of(found[2].path.front()) == 4);
  // And the head in the row after the gap vouches for what the journal says was there.
  CHECK(found[2].path.front() == journal(site)[3]);

  // As the operator's page has it: all places of all chains, held against the signer's journal.
  const std::string all = site.sql(
      "SELECT string_agg(step, E'\\n') FROM audit.audit_log_entry, jsonb_array_elements_text("
      "convert_from(canonical_bytes, 'UTF8')::jsonb -> 'relation_path') AS step "
      "WHERE object_type = 'signing-key' AND step LIKE 'journal:%'");
  const auto account = site.deployment.directory() / "places";
  std::ofstream(account) << all << '\n';
  const auto verified =
      test_support::run(e2e::Deployment::binaries() / "plexsphere-signer-journal",
                        {"verify", (site.deployment.directory() / "signer-state").string(),
                         "--account", account.string()});
  CHECK(verified.code == 3);
  const std::vector<std::string> said = lines(verified.out);
  REQUIRE(said.size() == 7);
  CHECK(words(said[0])[0] == "unaccounted");
  CHECK(words(said[0])[2] == "3");
  CHECK(words(said[0])[4] == "sign");
  CHECK(said[4] == "entries 4");
}

TEST_CASE("catching up leaves no gap", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string first = site.open(scope)->key_id;
  (void)site.open(scope);
  site.forget_newest(scope);
  REQUIRE(outcome(site.sign(scope, first, first)) == "done");
  const std::vector<Row> found = rows(site, domain);
  REQUIRE(found.size() == 5);
  CHECK(found[2].path.back() == "refused:key_set_superseded");
  CHECK(found[3].relation == "signing.public_key");
  CHECK(found[3].object_id == scope);
  CHECK(found[4].relation == "signing.sign");
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(seq_of(found[i].path.front()) == i + 1);
  }
}

TEST_CASE("without its row a signature is given to nobody, and its place rides in the next row",
          "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  site.sql("ALTER TABLE audit.audit_log_entry RENAME TO away");
  CHECK(outcome(site.sign(scope, "", key_id)) == "audit_unavailable");
  site.sql("ALTER TABLE audit.away RENAME TO audit_log_entry");
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  const std::vector<Row> found = rows(site, domain);
  REQUIRE(found.size() == 2);
  REQUIRE(found[1].path.size() == 2);
  CHECK(seq_of(found[1].path[0]) == 3);
  CHECK(seq_of(found[1].path[1]) == 2);
  CHECK(found[1].path[1] == journal(site)[1]);
}

TEST_CASE("calls whose answer never came are counted in the next row", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  site.deployment.stop_signer();
  CHECK(outcome(site.sign(scope, "", key_id)) == "signing_unavailable");
  site.deployment.start_signer();
  REQUIRE(outcome(site.sign_patiently(scope, "", key_id)) == "done");
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  const std::vector<Row> found = rows(site, domain);
  REQUIRE(found.size() == 3);
  REQUIRE(found[1].path.size() == 2);
  CHECK(found[1].path[1].starts_with("unanswered:"));
  CHECK(found[2].path.size() == 1);
}

TEST_CASE("a signer whose state was set back is found out and not believed", "[signing]") {
  Site site;
  const std::string domain = fresh_domain();
  const std::string scope = "domain:" + domain;
  const std::string key_id = site.open(scope)->key_id;
  const auto state = site.deployment.directory() / "signer-state";
  const auto copy = site.deployment.directory() / "signer-state-copy";
  const auto copy_all = std::filesystem::copy_options::recursive;
  std::filesystem::copy(state, copy, copy_all);
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  REQUIRE(outcome(site.sign(scope, "", key_id)) == "done");
  site.deployment.stop_signer();
  std::filesystem::remove_all(state);
  std::filesystem::rename(copy, state);
  site.deployment.start_signer();
  CHECK(outcome(site.sign_patiently(scope, "", key_id)) == "signing_journal_regressed");
  // The rows keep both: one place under two heads.
  const std::vector<Row> found = rows(site, domain);
  REQUIRE(found.size() == 4);
  CHECK(seq_of(found[1].path.front()) == 2);
  CHECK(seq_of(found[3].path.front()) == 2);
  CHECK(found[1].path.front() != found[3].path.front());
}
