// Checkpoints of the audit log with the real signer, while the replicas that make them are killed.
#include <sodium.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "e2e/deployment.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "support/failpoints.hpp"
#include "support/wait_until.hpp"

using namespace plexsphere;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr auto kSettings = "[context.audit]\ncheckpoint_interval = \"100ms\"\n";

std::string sha256(std::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return out;
}

const unsigned char* raw(const std::string& bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string bytes_of(const json& object, const char* member) {
  return *sdk::hex_decode(object.at(member).get<std::string>());
}

sdk::merkle::Proof hashes_of(const json& proof) {
  sdk::merkle::Proof out;
  for (const std::string hex : proof.at("hashes")) {
    out.push_back(*sdk::hex_decode(hex));
  }
  return out;
}

// A chain as an auditor sees it, who trusts one key and nothing that the server says besides.
class Auditor {
 public:
  Auditor(std::string base, std::string key) : base_(std::move(base)), key_(std::move(key)) {}

  // Sizes of all checkpoints, each verified, and each proved to begin with the one before.
  std::vector<std::uint64_t> verified(const sim::Api& api) const {
    std::vector<std::uint64_t> sizes;
    std::string before;
    const json all = api.get(base_ + "/checkpoints?limit=200");
    for (const json& item : all.at("items")) {
      const auto note = sdk::parse_note(item.at("note").get<std::string>());
      REQUIRE(note);
      const auto checkpoint = sdk::parse_checkpoint(note->text);
      REQUIRE(checkpoint);
      const auto* signature =
          sdk::signature_by(&sha256, *note, sdk::NoteKey{checkpoint->origin, key_});
      REQUIRE(signature != nullptr);
      CHECK(crypto_sign_verify_detached(raw(signature->signature), raw(note->text),
                                        note->text.size(), raw(key_)) == 0);
      if (!sizes.empty()) {
        CHECK(checkpoint->size > sizes.back());
        const json proof =
            api.get(base_ + "/proofs/consistency?from=" + std::to_string(sizes.back()) +
                    "&to=" + std::to_string(checkpoint->size));
        CHECK(sdk::merkle::verify_consistency(&sha256, sizes.back(), checkpoint->size,
                                              hashes_of(proof), before, checkpoint->root));
      }
      sizes.push_back(checkpoint->size);
      before = checkpoint->root;
    }
    return sizes;
  }

  // Whether the newest checkpoint proves that the entry is in it, as it is shown.
  bool includes(const sim::Api& api, int seq) const {
    const json entry = api.get(base_ + "/entries/" + std::to_string(seq));
    const json proof = api.get(base_ + "/proofs/inclusion?seq=" + std::to_string(seq));
    const json all = api.get(base_ + "/checkpoints?limit=200");
    for (const json& item : all.at("items")) {
      if (item.at("size") == proof.at("size")) {
        return sdk::merkle::verify_inclusion(
            &sha256, sdk::merkle::leaf_hash(&sha256, bytes_of(entry.at("proof"), "entry_hash")),
            static_cast<std::uint64_t>(seq - 1), proof.at("size").get<std::uint64_t>(),
            hashes_of(proof), bytes_of(item, "root_hash"));
      }
    }
    return false;
  }

 private:
  std::string base_;
  std::string key_;  // 32 raw bytes
};

}  // namespace

TEST_CASE("whoever is killed while signing leaves one line of checkpoints", "[e2e]") {
  test_support::Failpoints failpoints;
  e2e::Deployment deployment;
  std::string url = deployment.start_core(kSettings).url();
  const auto op = [&] { return sim::Operator(url, deployment.operator_token()); };
  const std::string domain = op().create_domain("acme", "10.7.0.0/16");
  const auto sql = [&](const std::string& text) {
    return deployment.postgres().query(text, "plexsphere");
  };
  const auto newest = [&] {
    return std::stoi(
        sql("SELECT coalesce(max(size), 0) FROM audit.audit_checkpoint WHERE domain_id "
            "= '" +
            domain + "'"));
  };
  REQUIRE(test_support::wait_until(60s, [&] { return newest() > 0; }));

  for (const char* point :
       {"checkpoint.grown", "checkpoint.signed", "checkpoint.added", "checkpoint.kept"}) {
    INFO(point);
    failpoints.arm_kill(point);
    try {  // an entry, which calls for a checkpoint
      (void)op().create_project(domain, std::string("p-") + (point + 11));
    } catch (const std::exception&) {
      // The core is gone already.
    }
    REQUIRE(failpoints.hit(point, 60s));
    url = deployment.start_core(kSettings).url();
    failpoints.release(point);
    // Entries about checkpoints are those that a checkpoint need not cover.
    const int last =
        std::stoi(sql("SELECT max(seq) FROM audit.audit_log_entry WHERE domain_id = '" + domain +
                      "' AND relation NOT IN ('audit.checkpoint', 'signing.checkpoint', "
                      "'signing.last_checkpoint')"));
    REQUIRE(test_support::wait_until(60s, [&] { return newest() >= last; }));
  }

  // The key as the signer's own document has it, not as the server tells it with the notes.
  const std::string document =
      sql("SELECT convert_from(document, 'UTF8') FROM "
          "signing_client.key_set WHERE scope = 'domain:" +
          domain + "' ORDER BY number DESC LIMIT 1");
  const auto key = sdk::hex_decode(document.substr(document.find_last_of(' ') + 1, 64));
  REQUIRE(key);
  const Auditor auditor("/v1/domains/" + domain + "/audit", *key);
  CHECK(auditor.verified(op().api()).size() >= 5);
  for (const int seq : {1, 2, 5}) {
    CHECK(auditor.includes(op().api(), seq));
  }
  CHECK(op().verify_chain(domain).at("ok") == true);
  CHECK(sql("SELECT count(*) FROM audit.audit_tamper_quarantine") == "0");
}

TEST_CASE("without the signer nothing is signed and the core works, and later it is made up for",
          "[e2e]") {
  e2e::Deployment deployment;
  const std::string url = deployment.start_core(kSettings).url();
  const sim::Operator op(url, deployment.operator_token());
  const std::string domain = op.create_domain("acme", "10.7.0.0/16");
  const auto checkpoints = [&] {
    return op.api().get("/v1/domains/" + domain + "/audit/checkpoints").at("items").size();
  };
  REQUIRE(test_support::wait_until(60s, [&] { return checkpoints() > 0; }));
  deployment.stop_signer();
  (void)op.create_project(domain, "edge");
  const std::size_t before = checkpoints();
  CHECK(op.verify_chain(domain).at("ok") == true);
  CHECK(checkpoints() == before);
  deployment.start_signer();
  CHECK(test_support::wait_until(60s, [&] { return checkpoints() > before; }));
}
