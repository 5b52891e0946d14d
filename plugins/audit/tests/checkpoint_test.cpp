// The job that has chains signed: what it makes, when, and of what it keeps its hands off.
#include <sodium.h>

#include "checkpoint_site.hpp"

namespace plexsphere::audit {
namespace {

using namespace std::chrono_literals;
using sdk::Uuid;
using test::change_in;
using test::CheckpointSite;
using test::LiveAudit;
using test::TestSigner;

// Every checkpoint of the Domain's chain, checked by itself: its note reads, is signed under the
// key beside it, and says the size and the root of the entries. Their sizes, ascending.
std::vector<int> verified_checkpoints(const CheckpointSite& site) {
  std::istringstream rows(site.query(
      "SELECT string_agg(size || ' ' || encode(root_hash, 'hex') || ' ' || encode(public_key, "
      "'hex') || ' ' || encode(convert_to(note, 'UTF8'), 'hex'), E'\\n' ORDER BY size) FROM "
      "audit.audit_checkpoint"));
  std::vector<int> sizes;
  int size = 0;
  for (std::string root, key, note; rows >> size >> root >> key >> note;) {
    const std::string origin = "plexsphere/audit/domain:" + site.domain.text();
    const auto read = sdk::parse_note(*sdk::hex_decode(note));
    REQUIRE(read);
    const sdk::NoteKey note_key{origin, *sdk::hex_decode(key)};
    const auto* signature = sdk::signature_by(&sha256, *read, note_key);
    REQUIRE(signature != nullptr);
    CHECK(crypto_sign_verify_detached(
              reinterpret_cast<const unsigned char*>(signature->signature.data()),
              reinterpret_cast<const unsigned char*>(read->text.data()), read->text.size(),
              reinterpret_cast<const unsigned char*>(note_key.public_key.data())) == 0);
    const auto checkpoint = sdk::parse_checkpoint(read->text);
    REQUIRE(checkpoint);
    CHECK(checkpoint->origin == origin);
    CHECK(checkpoint->size == static_cast<std::uint64_t>(size));
    CHECK(sdk::hex_encode(checkpoint->root) == root);
    CHECK(checkpoint->root == test::root_of_entries(site.database, site.domain, size));
    sizes.push_back(size);
  }
  return sizes;
}

// The watch looks once at the beginning and then no more: what is found is found by the job.
constexpr auto kUnwatched = "checkpoint_interval = \"100ms\"\nverify_interval = \"1h\"\n";

}  // namespace

TEST_CASE("a chain that has grown is signed, which is an entry of its own and calls for no other",
          "[audit][pg][checkpoint]") {
  CheckpointSite site;
  site.add_and_wait(3);
  CHECK(verified_checkpoints(site) == std::vector<int>{3});
  CHECK(site.head() == 4);
  CHECK(site.query(
            "SELECT relation || ' ' || object_type || ' ' || object_id || ' ' || reason FROM "
            "audit.audit_log_entry e JOIN audit.audit_log_chain_head h USING (domain_id, seq)") ==
        "audit.checkpoint audit_checkpoint 3 granted");
  // Another chain's checkpoints show that the job has looked again, several times.
  for (int i = 0; i < 3; ++i) {
    REQUIRE(site.live.stage({change_in(site.domain).in_platform()}).ok());
    REQUIRE(test_support::wait_until(test::kPatience, [&] {
      return site.database.query(
                 "SELECT count(*) FROM audit.audit_checkpoint WHERE domain_id = "
                 "'00000000-0000-7000-8000-000000000001'") == std::to_string(i + 1);
    }));
  }
  CHECK(site.checkpoints() == 1);

  site.add_and_wait();
  CHECK(verified_checkpoints(site) == std::vector<int>{3, 5});
  CHECK(test_support::wait_until(
      test::kPatience, [&] { return site.metric("plexsphere_audit_checkpoints_total") == 5; }));
}

TEST_CASE("entries about the signatures of checkpoints call for no checkpoint",
          "[audit][pg][checkpoint]") {
  CheckpointSite site;
  site.add_and_wait(3);
  REQUIRE(site.live.stage({change_in(site.domain, "signing.checkpoint")}).ok());
  // Another chain's checkpoints show that the job has looked again, several times.
  for (int i = 0; i < 3; ++i) {
    REQUIRE(site.live.stage({change_in(site.domain).in_platform()}).ok());
    REQUIRE(test_support::wait_until(test::kPatience, [&] {
      return site.database.query(
                 "SELECT count(*) FROM audit.audit_checkpoint WHERE domain_id = "
                 "'00000000-0000-7000-8000-000000000001'") == std::to_string(i + 1);
    }));
  }
  CHECK(site.checkpoints() == 1);
  REQUIRE(site.live.stage({change_in(site.domain)}).ok());
  CHECK(test_support::wait_until(test::kPatience, [&] { return site.checkpoints() == 2; }));
}

TEST_CASE("a chain of many tiles is signed, and its tree grows on from what is kept",
          "[audit][pg][checkpoint]") {
  CheckpointSite site;
  for (const int entries : {255, 1, 255, 300, 1}) {
    site.add_and_wait(entries);
  }
  const auto sizes = verified_checkpoints(site);
  CHECK(sizes.size() == 5);
  CHECK(site.number("SELECT count(*) FROM audit.audit_tree_node") == sizes.back() / 256);
}

TEST_CASE("a chain is signed at most once in an interval", "[audit][pg][checkpoint]") {
  CheckpointSite site("checkpoint_interval = \"500ms\"\n");
  site.add(1);
  REQUIRE(test_support::wait_until(test::kPatience, [&] {
    site.add(1);
    return site.checkpoints() == 4;
  }));
  CHECK(
      site.database.query("SELECT min(gap) >= interval '500 milliseconds' FROM (SELECT signed_at - "
                          "lag(signed_at) OVER (ORDER BY size) AS gap FROM "
                          "audit.audit_checkpoint) g") == "t");
}

TEST_CASE("nothing more is signed of a chain that was made to fit again after a forgery",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kUnwatched);
  site.add_and_wait(5);
  site.database.tamper(site.forged(2));
  site.add(1);
  CHECK(site.fails_again("broken"));
  CHECK(site.quarantined() == "checkpoint_mismatch");
  CHECK(site.checkpoints() == 1);
  CHECK(site.signer.signed_texts().size() == 1);
}

TEST_CASE("nothing more is signed of a chain that was set back, though it grows again",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kUnwatched);
  site.add_and_wait(5);
  site.set_back(3);
  CHECK(site.fails_again("broken"));
  site.add(4);
  CHECK(site.fails_again("broken"));
  CHECK(site.quarantined() == "checkpoint_mismatch");
  CHECK(site.checkpoints() == 1);
}

TEST_CASE("new entries that are no chain are not signed", "[audit][pg][checkpoint]") {
  CheckpointSite site(kUnwatched);
  site.add_and_wait(2);
  site.signer.be(TestSigner::Mood::kAway);
  site.add(3);
  site.database.tamper(
      "UPDATE audit.audit_log_entry SET canonical_bytes = canonical_bytes || ' ' "
      "WHERE domain_id = '" +
      site.domain.text() + "' AND seq = 5");
  site.signer.be(TestSigner::Mood::kSigns);
  CHECK(site.fails_again("broken"));
  CHECK(site.quarantined() == "hash_mismatch");
  CHECK(site.checkpoints() == 1);
}

TEST_CASE("a kept node that is not of the entries stops the chain's checkpoints",
          "[audit][pg][checkpoint]") {
  CheckpointSite site(kUnwatched);
  site.add_and_wait(600);
  site.database.tamper("UPDATE audit.audit_tree_node SET hash = sha256(hash) WHERE idx = 1");
  site.add(1);
  CHECK(site.fails_again("broken"));
  CHECK(site.quarantined() == "checkpoint_mismatch");
  CHECK(site.checkpoints() == 1);
}

TEST_CASE("while the signer is away nothing is signed, and afterwards it is again",
          "[audit][pg][checkpoint]") {
  CheckpointSite site;
  site.signer.be(TestSigner::Mood::kAway);
  site.add(2);
  CHECK(site.fails_again("no_signer"));
  CHECK(site.checkpoints() == 0);
  CHECK(site.metric("plexsphere_audit_checkpoint_behind_entries") == 2);
  site.signer.be(TestSigner::Mood::kSigns);
  site.wait_for(2);
  CHECK(verified_checkpoints(site) == std::vector<int>{2});
}

TEST_CASE("a signature that does not verify is not kept", "[audit][pg][checkpoint]") {
  CheckpointSite site;
  site.signer.be(TestSigner::Mood::kLies);
  site.add(1);
  CHECK(site.fails_again("failed"));
  CHECK(site.checkpoints() == 0);
  CHECK(site.head() == 1);
}

TEST_CASE("the platform's first key is asked for, a Domain's is not", "[audit][pg][checkpoint]") {
  CheckpointSite site;
  site.signer.be(TestSigner::Mood::kNoKey);
  site.add(1);
  CHECK(site.fails_again("no_signer"));
  CHECK(site.signer.openings() == 0);
  REQUIRE(site.live.stage({change_in(site.domain).in_platform()}).ok());
  CHECK(test_support::wait_until(test::kPatience, [&] { return site.signer.openings() == 1; }));
  site.wait_for(1);
}

TEST_CASE("replicas make one line of checkpoints", "[audit][pg][checkpoint]") {
  CheckpointSite site;
  LiveAudit second(site.database, 16, "checkpoint_interval = \"100ms\"\n", site.signer.table());
  for (int i = 0; i < 4; ++i) {
    site.add_and_wait(2);
  }
  CHECK(verified_checkpoints(site).size() == 4);
}

TEST_CASE("without a signer the context works, and its probe tells what is missing",
          "[audit][pg][checkpoint]") {
  LiveAudit live(test::fresh_database());
  REQUIRE(live.stage({change_in(Uuid::v7(1))}).ok());
  bool told = false;
  for (const auto& check : live.health().checks) {
    if (check.name == "audit.checkpoints") {
      told = true;
      CHECK(check.outcome.state == host::health::State::kDegraded);
      CHECK_THAT(check.outcome.detail, Catch::Contains("px.signing/1"));
    }
  }
  CHECK(told);
}

}  // namespace plexsphere::audit
