// What auditors get of checkpoints: notes, keys, proofs that hold against them, and the records.
#include <nlohmann/json.hpp>

#include "checkpoint_site.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Uuid;
using test::CheckpointSite;
using test::Reply;
using Json = nlohmann::json;
using Pairs = test::LiveAudit::Pairs;

// One site for the program, whose chain has checkpoints of 3, 5, and then of 600 and more entries.
struct Site : CheckpointSite {
  Site() {
    add_and_wait(3);
    add_and_wait(1);
    add_and_wait(600);
    last = newest();
  }
  static Site& shared() {
    static Site site;
    return site;
  }

  Reply ask(const std::string& rest, const Pairs& query = {}) const {
    return live.call("GET /v1/domains/{domain_id}/audit/" + rest, {{"domain_id", domain.text()}},
                     query);
  }
  Json answer(const std::string& rest, const Pairs& query = {}) const {
    const Reply reply = ask(rest, query);
    INFO(reply.code << " " << reply.detail);
    REQUIRE(reply.status == 200);
    return Json::parse(reply.body);
  }
  // "404 checkpoint_not_found"
  std::string refusal(const std::string& rest, const Pairs& query) const {
    const Reply reply = ask(rest, query);
    return std::to_string(reply.status) + " " + reply.code;
  }
  std::string entry_hash(int seq) const {
    return database.query(
        "SELECT encode(entry_hash, 'hex') FROM audit.audit_log_entry WHERE "
        "domain_id = '" +
        domain.text() + "' AND seq = " + std::to_string(seq));
  }

  int last = 0;
};

sdk::merkle::Proof hashes_of(const Json& proof) {
  sdk::merkle::Proof out;
  for (const std::string hex : proof.at("hashes")) {
    out.push_back(*sdk::hex_decode(hex));
  }
  return out;
}

std::string raw(const Json& object, const char* member) {
  return *sdk::hex_decode(object.at(member).get<std::string>());
}

sdk::Checkpoint checkpoint_in(const std::string& note) {
  const auto read = sdk::parse_note(note);
  REQUIRE(read);
  const auto checkpoint = sdk::parse_checkpoint(read->text);
  REQUIRE(checkpoint);
  return *checkpoint;
}

}  // namespace

TEST_CASE("the newest note is text, and each earlier one is had by its size",
          "[audit][pg][proof]") {
  const Site& site = Site::shared();
  const Reply newest = site.ask("checkpoint");
  CHECK(newest.status == 200);
  CHECK(newest.content_type == "text/plain; charset=utf-8");
  const auto checkpoint = checkpoint_in(newest.body);
  CHECK(checkpoint.origin == "plexsphere/audit/domain:" + site.domain.text());
  CHECK(checkpoint.size == static_cast<std::uint64_t>(site.last));
  CHECK(checkpoint.root == test::root_of_entries(site.database, site.domain, site.last));
  CHECK(checkpoint_in(site.ask("checkpoint", {{"size", "3"}}).body).size == 3);
  CHECK(site.refusal("checkpoint", {{"size", "4"}}) == "404 checkpoint_not_found");
  for (const char* bad : {"", "0", "03", "-3", "x", "3.0", "1234567890123456789"}) {
    INFO(bad);
    CHECK(site.refusal("checkpoint", {{"size", bad}}) == "400 invalid_size");
  }
}

TEST_CASE("all checkpoints are listed, each with the key that its note names",
          "[audit][pg][proof]") {
  const Site& site = Site::shared();
  const Json all = site.answer("checkpoints");
  REQUIRE(all.at("items").size() == 3);
  CHECK_FALSE(all.contains("next_cursor"));
  for (const Json& item : all.at("items")) {
    const std::string note = item.at("note");
    const auto checkpoint = checkpoint_in(note);
    CHECK(checkpoint.size == item.at("size").get<std::uint64_t>());
    CHECK(checkpoint.root == raw(item, "root_hash"));
    CHECK(checkpoint.origin == all.at("origin"));
    const auto key = sdk::parse_verifier_key(&sha256, item.at("verifier_key").get<std::string>());
    REQUIRE(key);
    CHECK(sdk::signature_by(&sha256, *sdk::parse_note(note), *key) != nullptr);
    CHECK(item.at("key_id") == "k-test");
  }
  const Json first = site.answer("checkpoints", {{"limit", "2"}});
  const std::string cursor = first.at("next_cursor");
  CHECK(first.at("items").size() == 2);
  const Json rest = site.answer("checkpoints", {{"limit", "2"}, {"cursor", cursor}});
  CHECK(rest.at("items").size() == 1);
  CHECK(rest.at("items")[0].at("size") == site.last);
  CHECK(site.refusal("checkpoints", {{"cursor", "x"}}) == "400 invalid_cursor");
  CHECK(site.refusal("checkpoints", {{"limit", "0"}}) == "400 invalid_limit");
  const Reply foreign =
      site.live.call("GET /v1/platform/audit/checkpoints", {}, {{"cursor", cursor}});
  CHECK(foreign.code == "invalid_cursor");
}

TEST_CASE("an entry is proved to be in every checkpoint that covers it", "[audit][pg][proof]") {
  const Site& site = Site::shared();
  for (const int size : {3, 5, site.last}) {
    const auto signed_root =
        checkpoint_in(site.ask("checkpoint", {{"size", std::to_string(size)}}).body).root;
    for (const int seq : {1, 2, 3, 4, 5, 256, 257, 512, 600, site.last}) {
      if (seq > size) {
        continue;
      }
      INFO(seq << " in " << size);
      const Json proof = site.answer(
          "proofs/inclusion", {{"seq", std::to_string(seq)}, {"size", std::to_string(size)}});
      CHECK(proof.at("seq") == seq);
      CHECK(proof.at("size") == size);
      CHECK(proof.at("entry_hash") == site.entry_hash(seq));
      CHECK(raw(proof, "root_hash") == signed_root);
      const std::string leaf = sdk::merkle::leaf_hash(&sha256, raw(proof, "entry_hash"));
      CHECK(sdk::merkle::verify_inclusion(&sha256, leaf, static_cast<std::uint64_t>(seq - 1),
                                          static_cast<std::uint64_t>(size), hashes_of(proof),
                                          signed_root));
    }
  }
  CHECK(site.answer("proofs/inclusion", {{"seq", "1"}}).at("size") == site.last);
}

TEST_CASE("a checkpoint is proved to begin with every earlier one", "[audit][pg][proof]") {
  const Site& site = Site::shared();
  for (const auto& [from, to] :
       {std::pair(3, 5), {3, site.last}, {5, site.last}, {256, site.last}, {300, 512}, {5, 5}}) {
    INFO(from << " in " << to);
    const Json proof = site.answer("proofs/consistency",
                                   {{"from", std::to_string(from)}, {"to", std::to_string(to)}});
    CHECK(raw(proof, "from_root_hash") == test::root_of_entries(site.database, site.domain, from));
    CHECK(raw(proof, "to_root_hash") == test::root_of_entries(site.database, site.domain, to));
    CHECK(sdk::merkle::verify_consistency(
        &sha256, static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to), hashes_of(proof),
        raw(proof, "from_root_hash"), raw(proof, "to_root_hash")));
  }
  CHECK(site.answer("proofs/consistency", {{"from", "3"}}).at("to") == site.last);
}

TEST_CASE("records are had page by page, each as it is hashed", "[audit][pg][proof]") {
  const Site& site = Site::shared();
  std::string previous(32, '\0');
  int seq = 0;
  for (std::size_t size = 200; size == 200;) {
    const Json page = site.answer("records", {{"from", std::to_string(seq + 1)}, {"limit", "200"}});
    for (const Json& record : page.at("items")) {
      CHECK(record.at("seq") == ++seq);
      CHECK(raw(record, "prev_hash") == previous);
      const auto bytes = sdk::base64_decode(record.at("canonical_bytes").get<std::string>());
      REQUIRE(bytes);
      previous = entry_hash(previous, *bytes);
      CHECK(raw(record, "entry_hash") == previous);
    }
    size = page.at("items").size();
  }
  CHECK(seq == site.head());
  CHECK(site.answer("records").at("items").size() == 50);
  CHECK(site.answer("records", {{"from", "999999"}}).at("items").empty());
  CHECK(site.refusal("records", {{"from", "0"}}) == "400 invalid_seq");
  CHECK(site.refusal("records", {{"limit", "201"}}) == "400 invalid_limit");
}

TEST_CASE("a proof that cannot be is refused, and says why", "[audit][pg][proof]") {
  const Site& site = Site::shared();
  const std::string beyond = std::to_string(site.last + 1);
  const std::string inclusion = "proofs/inclusion";
  const std::string consistency = "proofs/consistency";
  CHECK(site.refusal(inclusion, {}) == "400 invalid_seq");
  CHECK(site.refusal(inclusion, {{"seq", "0"}}) == "400 invalid_seq");
  CHECK(site.refusal(inclusion, {{"seq", "4"}, {"size", "3"}}) == "400 invalid_seq");
  CHECK(site.refusal(inclusion, {{"seq", beyond}}) == "400 invalid_seq");
  CHECK(site.refusal(inclusion, {{"seq", "1"}, {"size", "x"}}) == "400 invalid_size");
  CHECK(site.refusal(inclusion, {{"seq", "1"}, {"size", beyond}}) == "404 checkpoint_not_found");
  CHECK(site.refusal(consistency, {}) == "400 invalid_size");
  CHECK(site.refusal(consistency, {{"from", "0"}}) == "400 invalid_size");
  CHECK(site.refusal(consistency, {{"from", "5"}, {"to", "3"}}) == "400 invalid_size");
  CHECK(site.refusal(consistency, {{"from", "3"}, {"to", ""}}) == "400 invalid_size");
  CHECK(site.refusal(consistency, {{"from", "3"}, {"to", beyond}}) == "404 checkpoint_not_found");
}

TEST_CASE("a chain without a checkpoint, and a Domain that is none, have nothing to show",
          "[audit][pg][proof]") {
  const Site& site = Site::shared();
  for (const std::string rest :
       {"checkpoint", "proofs/inclusion", "proofs/consistency", "checkpoints"}) {
    INFO(rest);
    const Pairs query{{"seq", "1"}, {"from", "1"}};
    const Reply platform = site.live.call("GET /v1/platform/audit/" + rest, {}, query);
    if (rest == "checkpoints") {
      CHECK(Json::parse(platform.body) ==
            Json{{"origin", "plexsphere/audit/platform"}, {"items", Json::array()}});
    } else {
      CHECK(platform.status == 404);
      CHECK(platform.code == "checkpoint_not_found");
    }
    const Reply nowhere = site.live.call("GET /v1/domains/{domain_id}/audit/" + rest,
                                         {{"domain_id", Uuid::v7(9).text()}}, query);
    CHECK(nowhere.status == 404);
    CHECK(nowhere.code == "not_found");
  }
}

TEST_CASE("a proof over entries that were changed does not hold against the signed root",
          "[audit][pg][proof]") {
  Site& site = Site::shared();
  const auto signed_root = checkpoint_in(site.ask("checkpoint", {{"size", "5"}}).body).root;
  site.database.tamper(
      "CREATE TABLE public.kept AS SELECT * FROM audit.audit_log_entry WHERE seq = 2");
  site.database.tamper(
      "UPDATE audit.audit_log_entry SET entry_hash = sha256(entry_hash) WHERE seq = 2");
  const Json proof = site.answer("proofs/inclusion", {{"seq", "1"}, {"size", "5"}});
  CHECK_FALSE(sdk::merkle::verify_inclusion(
      &sha256, sdk::merkle::leaf_hash(&sha256, raw(proof, "entry_hash")), 0, 5, hashes_of(proof),
      signed_root));
  site.database.tamper("DELETE FROM audit.audit_log_entry WHERE seq = 2");
  CHECK(site.refusal("proofs/inclusion", {{"seq", "1"}, {"size", "5"}}) == "500 internal");
  site.database.tamper(
      "INSERT INTO audit.audit_log_entry SELECT * FROM public.kept; DROP TABLE public.kept");
}

}  // namespace plexsphere::audit
