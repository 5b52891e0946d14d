// Proofs about audit chains: asked for, verified at once, handed on, and verified again offline.
#include "host/apps/plexctl/tests/audit_export.hpp"
#include "host/apps/plexctl/tests/scripted_server.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;

namespace {

// A server with a chain of 9 entries and checkpoints of 3 and 7.
struct Site {
  Site() {
    const json items = chain.checkpoint_items();
    answer("/checkpoints?limit=1",
           {{"origin", kOrigin}, {"items", json::array({items[0]})}, {"next_cursor", "c"}});
    server.answer("GET " + kChain + "/checkpoint", 200, chain.notes[1]);
    answer("/proofs/inclusion?seq=5&size=7", {{"hashes", hex(inclusion(5, 7))}});
    answer("/proofs/consistency?from=3&to=7", {{"hashes", hex(consistency(3, 7))}});
    answer("/records?from=5&limit=1", {{"items", json::array({chain.records[4]})}});
  }

  void answer(const std::string& path, const json& body) {
    server.answer("GET " + kChain + path, 200, body.dump());
  }
  Run prove(const Arguments& more) {
    Arguments all{"audit", "prove", file(), "--domain", kDomain, "--key", chain.key.text()};
    all.insert(all.end(), more.begin(), more.end());
    return plexctl::plexctl(all, {server.url(), "psk_test"});
  }
  Run verify(const Arguments& more = {}) const {
    Arguments all{"audit", "verify", file(), "--key", chain.key.text()};
    all.insert(all.end(), more.begin(), more.end());
    return plexctl::plexctl(all, {"http://127.0.0.1:1", "psk_never_sent"});
  }
  std::string file() const { return (files.path() / "proof.json").string(); }
  std::string kept(const std::string& name, const std::string& note) const {
    return files.write(name, note).string();
  }
  // Changes the proof that was written.
  void edit(const std::function<void(json&)>& change) const {
    std::ifstream in(file());
    json proof = json::parse(in);
    change(proof);
    std::ofstream(file()) << proof.dump();
  }

  std::optional<std::string> subtree(unsigned level, std::uint64_t index) const {
    sdk::merkle::CompactRange range(&sha256);
    for (std::uint64_t i = index << level; i < (index + 1) << level; ++i) {
      range.append(sdk::merkle::leaf_hash(
          &sha256, *sdk::hex_decode(std::string(chain.records[i].at("entry_hash")))));
    }
    return range.root();
  }
  sdk::merkle::Proof inclusion(std::uint64_t seq, std::uint64_t size) const {
    return *sdk::merkle::inclusion_proof(
        &sha256, seq - 1, size,
        [this](unsigned level, std::uint64_t i) { return subtree(level, i); });
  }
  sdk::merkle::Proof consistency(std::uint64_t from, std::uint64_t to) const {
    return *sdk::merkle::consistency_proof(
        &sha256, from, to, [this](unsigned level, std::uint64_t i) { return subtree(level, i); });
  }
  static json hex(const sdk::merkle::Proof& hashes) {
    json out = json::array();
    for (const std::string& hash : hashes) {
      out.push_back(sdk::hex_encode(hash));
    }
    return out;
  }

  Chain chain{9};
  ScriptedServer server;
  test_support::TempDir files;
};

}  // namespace

TEST_CASE("an entry is proved to be in a checkpoint, and the checkpoint to begin with an older one",
          "[plexctl][audit]") {
  Site site;
  const std::string both =
      "proved: entry 5 is in the checkpoint of 7 entries\n"
      "proved: the checkpoint of 7 entries begins with that of 3 entries\n";
  const bool held = GENERATE(false, true);
  Arguments arguments{"--entry", "5", "--earlier", site.kept("old.note", site.chain.notes[0])};
  if (held) {
    arguments.insert(arguments.end(), {"--in", site.kept("held.note", site.chain.notes[1])});
  }
  const Run run = site.prove(arguments);
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(run.out == both);
  CHECK(site.verify().out == both);
  CHECK(site.verify().code == 0);
  CHECK(json::parse(site.verify({"--output", "json"}).out) ==
        json{{"origin", kOrigin}, {"size", 7}, {"entry", 5}, {"extends", 3}});
  CHECK(site.prove(arguments).code == 2);  // not over what is there
}

TEST_CASE("what the server makes up proves nothing and is not written", "[plexctl][audit]") {
  Site site;
  SECTION("a path") {
    site.server.replace("GET " + kChain + "/proofs/inclusion?seq=5&size=7",
                        json{{"hashes", json::array({std::string(64, 'a')})}}.dump());
    CHECK(site.prove({"--entry", "5"}).code == 10);
  }
  SECTION("an entry") {
    json other = site.chain.records[4];
    other["canonical_bytes"] = sdk::base64_encode("another");
    site.server.replace("GET " + kChain + "/records?from=5&limit=1",
                        json{{"items", json::array({other})}}.dump());
    CHECK(site.prove({"--entry", "5"}).code == 10);
  }
  SECTION("no entry") {
    site.server.replace("GET " + kChain + "/records?from=5&limit=1",
                        json{{"items", json::array({site.chain.records[5]})}}.dump());
    CHECK(site.prove({"--entry", "5"}).code == 12);
  }
  CHECK_FALSE(std::filesystem::exists(site.file()));
}

TEST_CASE("whatever was changed in a proof is found", "[plexctl][audit]") {
  Site site;
  REQUIRE(
      site.prove({"--entry", "5", "--earlier", site.kept("old.note", site.chain.notes[0])}).code ==
      0);
  SECTION("a hash of the path") {
    site.edit([](json& proof) { proof["inclusion"][0] = std::string(64, 'a'); });
    CHECK(contains(site.verify().err, "tampered: entry 5 is not proved to be in the checkpoint"));
  }
  SECTION("the number") {
    site.edit([](json& proof) { proof["entry"]["seq"] = 4; });
    CHECK(contains(site.verify().err, "tampered: the bytes of entry 4 are those of another"));
  }
  SECTION("the bytes") {
    site.edit([](json& proof) { proof["entry"]["canonical_bytes"] = sdk::base64_encode("x"); });
    CHECK(contains(site.verify().err, "tampered: the bytes of entry 5 are not those of its hash"));
  }
  SECTION("the consistency") {
    site.edit([](json& proof) { proof["consistency"] = json::array(); });
    CHECK(contains(site.verify().err,
                   "tampered: the checkpoint of 7 entries is not proved to begin"));
  }
  SECTION("the note") {
    site.edit([](json& proof) {
      proof["checkpoint"] = replaced(proof["checkpoint"].get<std::string>(), "\n7\n", "\n8\n");
    });
    CHECK(contains(site.verify().err, "tampered: the signature of the checkpoint does not verify"));
  }
  CHECK(site.verify().code == 10);
}

TEST_CASE("a note that the server does not cover, that nobody trusts or that was lost has its code",
          "[plexctl][audit]") {
  Site site;
  const auto in = [&](const std::string& note) {
    return site.prove({"--entry", "5", "--in", site.kept("held.note", note)});
  };
  const Chain before(9, {3, 7, 9});
  Run run = in(before.notes[2]);
  CHECK(run.code == 11);
  CHECK(contains(run.err, "truncated: the server has no checkpoint that covers the 9 entries"));
  CHECK(in(SigningKey('o').note({kOrigin, 7, std::string(32, 'r')})).code == 12);
  CHECK(in(site.chain.key.note({kOrigin, 7, std::string(32, 'r')})).code == 10);
  CHECK(site.prove({"--entry", "8"}).code == 2);
  CHECK(site.prove({}).code == 2);

  // The same note once a restore is declared that lost it.
  Site restored;
  const auto kept = sdk::parse_checkpoint(sdk::parse_note(before.notes[0])->text);
  const auto lost = sdk::parse_checkpoint(sdk::parse_note(before.notes[2])->text);
  const std::string statement = before.key.note(sdk::restore_text(
      {kOrigin, 2, {9, lost->root}, {3, kept->root}, 1767225600, "nightly backup"}));
  ScriptedServer server;
  server.answer("GET " + kChain + "/checkpoints?limit=1", 200,
                json{{"origin", kOrigin},
                     {"items", json::array()},
                     {"restores", json::array({{{"epoch", 2}, {"note", statement}}})}}
                    .dump());
  run = plexctl::plexctl(
      {"audit", "prove", restored.file(), "--domain", kDomain, "--key", before.key.text(),
       "--entry", "5", "--in", restored.kept("lost.note", before.notes[2])},
      {server.url(), "psk_test"});
  CHECK(run.code == 13);
  CHECK(contains(run.err,
                 "restored: the checkpoint, of 9 entries, is of before the chain was set "
                 "back to 3 entries, as declared (epoch 2, \"nightly backup\")"));
}

TEST_CASE("a file that is no proof is incomplete", "[plexctl][audit]") {
  Site site;
  std::ofstream(site.file()) << "{}";
  CHECK(site.verify().code == 12);
  CHECK(site.verify({"--earlier", site.kept("n", "x")}).code == 2);
}
