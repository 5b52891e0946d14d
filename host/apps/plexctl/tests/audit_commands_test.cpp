// Exports of audit chains: what is taken from a server, and what each kind of damage is called.
#include <filesystem>

#include "host/apps/plexctl/tests/audit_export.hpp"
#include "host/apps/plexctl/tests/scripted_server.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;

TEST_CASE("an export that is as it was signed is intact, and nobody is asked", "[plexctl][audit]") {
  const Chain chain(7);
  const Export taken(chain);
  const Run run = taken.verify({"--key", chain.key.text()});
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(run.out == "intact: 7 entries, 7 of them under 2 checkpoints\n");
  const Run as_json = taken.verify({"--key", chain.key.text(), "--output", "json"});
  CHECK(json::parse(as_json.out) ==
        json{{"origin", kOrigin}, {"entries", 7}, {"checkpoints", 2}, {"covered", 7}, {"left", 0}});
}

TEST_CASE("whatever was changed in an export is tampering, and named", "[plexctl][audit]") {
  const Chain chain(9);
  Export taken(chain);
  const auto outcome = [&] { return taken.verify({"--key", chain.key.text()}); };
  SECTION("bytes of an entry") {
    taken.edit("entries.jsonl", [&](int number, const std::string& line) {
      json record = json::parse(line);
      if (number == 4) {
        record["canonical_bytes"] = sdk::base64_encode("another");
      }
      return record.dump();
    });
    CHECK(contains(outcome().err, "tampered: the bytes of entry 4 are not those of its hash"));
  }
  SECTION("a link") {
    taken.edit("entries.jsonl", [&](int number, const std::string& line) {
      return number == 4 ? replaced(line, chain.records[2].at("entry_hash"), std::string(64, 'a'))
                         : line;
    });
    CHECK(contains(outcome().err, "tampered: entry 4 does not follow"));
  }
  SECTION("every entry, with hashes that fit") {
    const Chain forged(9, {3, 7}, "forged");
    taken.edit("entries.jsonl", [&](int number, const std::string&) {
      return forged.records[static_cast<std::size_t>(number - 1)].dump();
    });
    CHECK(contains(outcome().err, "tampered: the first 3 entries are not those of a signed"));
  }
  SECTION("a note's text") {
    taken.edit("checkpoints.jsonl", [&](int number, const std::string& line) {
      return number == 2 ? replaced(line, "\\n7\\n", "\\n8\\n") : line;
    });
    CHECK(contains(outcome().err, "tampered: the signature of checkpoint 2 does not verify"));
  }
  SECTION("the order of notes") {
    taken.edit("checkpoints.jsonl", [&](int number, const std::string&) {
      return chain.checkpoint_items()[number == 1 ? 1 : 0].dump();
    });
    CHECK(contains(outcome().err, "tampered: a checkpoint of 3 entries comes after one of 7"));
  }
  SECTION("what stands beside a note") {
    taken.edit("checkpoints.jsonl", [&](int number, const std::string& line) {
      return number == 2 ? replaced(line, "\"size\":7", "\"size\":6") : line;
    });
    CHECK(contains(outcome().err, "tampered: what stands beside the note of checkpoint 2 is not"));
  }
  SECTION("the key beside a note") {
    taken.edit("checkpoints.jsonl", [&](int number, const std::string& line) {
      return number == 1 ? replaced(line, chain.key.text(), SigningKey('o').text()) : line;
    });
    CHECK(contains(outcome().err, "tampered: checkpoint 1 is not signed under the key"));
  }
  SECTION("the order of entries") {
    taken.edit("entries.jsonl", [&](int number, const std::string& line) {
      return number == 4 ? chain.records[4].dump() : number == 5 ? chain.records[3].dump() : line;
    });
    CHECK(contains(outcome().err, "tampered: entry 4 comes after entry 5"));
  }
  SECTION("an entry twice") {
    taken.edit("entries.jsonl", [&](int number, const std::string& line) {
      return number == 5 ? chain.records[3].dump() : line;
    });
    CHECK(contains(outcome().err, "tampered: entry 4 comes twice"));
  }
  SECTION("the number of an entry") {
    taken.edit("entries.jsonl", [&](int number, const std::string& line) {
      return number == 4 ? replaced(line, "\"seq\":4", "\"seq\":44") : line;
    });
    CHECK(contains(outcome().err, "tampered: in place of entry 4 comes entry 44, whose bytes"));
  }
  SECTION("a note that is none") {
    taken.edit("checkpoints.jsonl", [&](int, const std::string&) {
      return json{{"note", "x"}}.dump();
    });
    CHECK(contains(outcome().err, "tampered: checkpoint 1 is no signed checkpoint"));
  }
  CHECK(outcome().code == 10);
  CHECK(outcome().out.empty());
}

TEST_CASE("an export whose end is missing is truncated", "[plexctl][audit]") {
  const Chain chain(9);
  Export taken(chain);
  taken.edit("entries.jsonl",
             [](int number, std::string line) { return number > 6 ? std::string() : line; });
  const Run run = taken.verify({"--key", chain.key.text()});
  CHECK(run.code == 11);
  CHECK(contains(run.err, "truncated: a checkpoint covers 7 entries, and there are 6"));
}

TEST_CASE("an export that lacks what verifying needs is incomplete", "[plexctl][audit]") {
  const Chain chain(9);
  Export taken(chain);
  std::string key = chain.key.text();
  std::string wanted;
  SECTION("an entry in between") {
    taken.edit("entries.jsonl",
               [](int number, std::string line) { return number == 5 ? std::string() : line; });
    wanted = "incomplete: entry 5 is missing; entry 6 comes in its place";
  }
  SECTION("a trusted checkpoint") {
    key = SigningKey('o').text();
    wanted = "incomplete: no checkpoint is signed under a key that you trust";
  }
  SECTION("a checkpoint over the last entries") {
    taken.edit("checkpoints.jsonl",
               [](int number, std::string line) { return number == 2 ? std::string() : line; });
    wanted =
        "incomplete: there are 9 entries, and the newest checkpoint that is signed under a key "
        "that you trust covers 3";
  }
  SECTION("the file that is written last") {
    std::filesystem::remove(taken.path() / "chain.json");
    wanted = "incomplete: '";
  }
  SECTION("half a line") {
    taken.edit("entries.jsonl", [](int number, std::string line) {
      return number == 9 ? line.substr(0, 20) : line;
    });
    wanted = "incomplete: line 9 of '";
  }
  const Run run = taken.verify({"--key", key});
  CHECK(run.code == 12);
  CHECK(contains(run.err, wanted));
}

TEST_CASE("a chain that was set back is truncated as long as nobody has declared it",
          "[plexctl][audit]") {
  const Chain before(9, {3, 7, 9});
  const Chain after(7);
  const Export taken(after);
  test_support::TempDir kept;
  const std::string old_note = kept.write("old.note", before.notes[1]).string();
  const std::string lost_note = kept.write("lost.note", before.notes[2]).string();
  CHECK(taken.verify({"--key", after.key.text(), "--earlier", old_note}).code == 0);
  const Run run =
      taken.verify({"--key", after.key.text(), "--earlier", old_note, "--earlier", lost_note});
  CHECK(run.code == 11);
  CHECK(contains(run.err, "truncated: a note from before covers 9 entries, and there are 7"));

  // Set back and then written anew, it is no longer what the note was about.
  const Export anew(Chain(9, {3, 7}, "anew"));
  CHECK(anew.verify({"--key", after.key.text(), "--earlier", old_note}).code == 10);
  // A note of nobody's is no evidence.
  const std::string foreign =
      kept.write("foreign.note", SigningKey('o').note({kOrigin, 9, std::string(32, 'r')})).string();
  CHECK(taken.verify({"--key", after.key.text(), "--earlier", foreign}).code == 12);
}

TEST_CASE("a key that is none is refused before anything is read", "[plexctl][audit]") {
  const Export taken(Chain(3, {3}));
  CHECK(taken.verify({"--key", "x"}).code == 2);
  CHECK(taken.verify({}).code == 2);
  CHECK(taken.verify({"--key", SigningKey('k').text(), "--earlier", "/nowhere"}).code == 2);
}

TEST_CASE("an export takes what the newest checkpoint covers, and verifies", "[plexctl][audit]") {
  const Chain chain(9);
  ScriptedServer server;
  const json items = chain.checkpoint_items();
  server.answer(
      "GET " + kChain + "/checkpoints?limit=200", 200,
      json{{"origin", kOrigin}, {"items", json::array({items[0]})}, {"next_cursor", "c&1"}}.dump());
  server.answer("GET " + kChain + "/checkpoints?limit=200&cursor=c%261", 200,
                json{{"origin", kOrigin}, {"items", json::array({items[1]})}}.dump());
  server.answer(
      "GET " + kChain + "/records?from=1&limit=200", 200,
      json{{"items", std::vector<json>(chain.records.begin(), chain.records.begin() + 4)}}.dump());
  server.answer(
      "GET " + kChain + "/records?from=5&limit=200", 200,
      json{{"items", std::vector<json>(chain.records.begin() + 4, chain.records.end())}}.dump());
  const test_support::TempDir files;
  const std::string directory = files.path() / "acme";
  const Arguments take{"audit", "export", directory, "--domain", kDomain};
  const Run run = plexctl::plexctl(take, {server.url(), "psk_test"});
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(run.out == "exported 7 entries and 2 checkpoints\n");
  const Run verified = plexctl::plexctl({"audit", "verify", directory, "--key", chain.key.text()});
  INFO(verified.err);
  CHECK(verified.code == 0);
  CHECK(verified.out == "intact: 7 entries, 7 of them under 2 checkpoints\n");
  // Not over what is there.
  CHECK(plexctl::plexctl(take, {server.url(), "psk_test"}).code == 2);
}

TEST_CASE("a chain without a checkpoint, and a server that makes no sense, give no export",
          "[plexctl][audit]") {
  const test_support::TempDir files;
  const auto take = [&](const std::string& name, const json& checkpoints, const json& records) {
    ScriptedServer server;
    server.answer("GET /v1/platform/audit/checkpoints?limit=200", 200, checkpoints.dump());
    server.answer("GET /v1/platform/audit/records?from=1&limit=200", 200, records.dump());
    return plexctl::plexctl({"audit", "export", files.path() / name, "--platform"},
                            {server.url(), "psk_test"})
        .code;
  };
  const json one{{"origin", "o"}, {"items", json::array({{{"size", 1}, {"note", ""}}})}};
  CHECK(take("none", {{"origin", "o"}, {"items", json::array()}}, {}) == 4);
  CHECK(take("no-list", {{"origin", "o"}}, {}) == 1);
  CHECK(take("no-records", one, {{"x", 1}}) == 1);
  CHECK(take("backwards", one, {{"items", json::array({{{"seq", 0}}})}}) == 1);
  for (const char* name : {"none", "no-list", "no-records", "backwards"}) {
    CHECK_FALSE(std::filesystem::exists(files.path() / name));  // and may be tried again
  }
  CHECK(plexctl::plexctl({"audit", "export", files.path() / "x"}).code == 2);
  CHECK(plexctl::plexctl({"audit", "export", files.path() / "x", "--platform", "--domain", kDomain})
            .code == 2);
}
