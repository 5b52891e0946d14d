// Exports of a chain that was restored to an earlier point: what a declaration explains, and what
// it does not.
#include "host/apps/plexctl/tests/audit_export.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;

namespace {

// A chain whose first 3 entries were kept when it was set back from 9, and that has grown to 8
// since.
struct RestoredChain {
  RestoredChain() {
    // What came after is written anew.
    std::string previous = *sdk::hex_decode(std::string(before.records[2].at("entry_hash")));
    chain.notes = {before.notes[0]};
    chain.records.resize(3);
    sdk::merkle::CompactRange tree(&sha256);
    for (const json& record : chain.records) {
      tree.append(
          sdk::merkle::leaf_hash(&sha256, *sdk::hex_decode(std::string(record.at("entry_hash")))));
    }
    after = {3, tree.root()};
    for (int seq = 4; seq <= 8; ++seq) {
      const std::string bytes = R"({"v":1,"chain":")" + kDomain + R"(","seq":)" +
                                std::to_string(seq) + R"(,"relation":"anew"})";
      const std::string hash = sha256(previous + sha256(bytes));
      chain.records.push_back({{"seq", seq},
                               {"prev_hash", sdk::hex_encode(previous)},
                               {"entry_hash", sdk::hex_encode(hash)},
                               {"canonical_bytes", sdk::base64_encode(bytes)}});
      tree.append(sdk::merkle::leaf_hash(&sha256, hash));
      previous = hash;
    }
    newest = chain.key.note({kOrigin, 8, tree.root(), 2});
    chain.notes.push_back(newest);
  }
  std::string statement(const SigningKey& key) const {
    const auto last = sdk::parse_checkpoint(sdk::parse_note(before.notes[2])->text);
    return key.note(sdk::restore_text(
        {kOrigin, 2, {last->size, last->root}, after, 1767225600, "nightly backup"}));
  }
  void declare(const Export& taken, const std::string& note) const {
    std::ofstream(taken.path() / "restores.jsonl")
        << json{{"epoch", 2}, {"note", note}}.dump() << "\n";
  }

  Chain before{9, {3, 7, 9}};
  Chain chain{9, {3}};
  sdk::TreeHead after;
  std::string newest;
};

}  // namespace

TEST_CASE("a chain that was set back as declared is restored, with what was lost",
          "[plexctl][audit]") {
  const RestoredChain site;
  const Export taken(site.chain);
  site.declare(taken, site.statement(site.chain.key));
  const test_support::TempDir kept;
  const auto verify = [&](const std::vector<std::string>& notes) {
    Arguments arguments{"--key", site.chain.key.text()};
    for (std::size_t i = 0; i < notes.size(); ++i) {
      arguments.insert(arguments.end(),
                       {"--earlier", kept.write(std::to_string(i), notes[i]).string()});
    }
    return taken.verify(arguments);
  };
  const Run run = verify({});
  CHECK(run.code == 13);
  CHECK(contains(run.err,
                 "restored: the chain was set back from 9 to 3 signed entries, as declared "
                 "(epoch 2, 1767225600, \"nightly backup\"); all 8 entries that there are "
                 "hold"));
  // Of what was lost, and of what was not.
  for (const std::string& note : site.before.notes) {
    CHECK(verify({note}).code == 13);
  }
  // Who has a note of after it knows.
  CHECK(verify({site.newest}).code == 0);
  CHECK(verify({site.before.notes[0], site.newest}).code == 0);
  CHECK(verify({site.before.notes[2], site.newest}).code == 13);
  // More than the statement admits to, and another chain in the present epoch.
  CHECK(verify({site.chain.key.note({kOrigin, 10, std::string(32, 'r')})}).code == 10);
  CHECK(verify({site.chain.key.note({kOrigin, 7, std::string(32, 'r'), 2})}).code == 10);
  CHECK(verify({site.chain.key.note({kOrigin, 9, std::string(32, 'r'), 2})}).code == 11);
}

TEST_CASE("a declaration that the signer did not make explains nothing", "[plexctl][audit]") {
  const RestoredChain site;
  const Export taken(site.chain);
  const auto verify = [&] { return taken.verify({"--key", site.chain.key.text()}); };
  SECTION("none") {
    CHECK(contains(verify().err,
                   "tampered: the checkpoint of 8 entries is of epoch 2, and the "
                   "declared restores make it 1"));
  }
  SECTION("another's") {
    site.declare(taken, site.statement(SigningKey('o')));
    CHECK(verify().code == 10);
  }
  SECTION("changed") {
    site.declare(taken, replaced(site.statement(site.chain.key), "nightly", "weekly!"));
    CHECK(contains(verify().err, "tampered: the signature of declared restore 1 does not verify"));
  }
  SECTION("a checkpoint in its place") {
    site.declare(taken, site.before.notes[0]);
    CHECK(contains(verify().err, "tampered: declared restore 1 is no statement about this chain"));
  }
  SECTION("a statement in a checkpoint's place") {
    taken.append("checkpoints.jsonl", {{"note", site.statement(site.chain.key)}});
    CHECK(verify().code == 10);
  }
  SECTION("from other entries") {
    site.declare(
        taken,
        site.chain.key.note(sdk::restore_text(
            {kOrigin, 2, {9, std::string(32, 'r')}, {3, std::string(32, 's')}, 1767225600, "x"})));
    CHECK(contains(verify().err, "tampered: the first 3 entries are not those that a declared"));
  }
  CHECK(verify().code == 10);
}
