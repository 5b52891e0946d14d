// Exports of audit chains: what is taken from a server, and what each kind of damage is called.
#include <openssl/evp.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/apps/plexctl/audit_check.hpp"
#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/tests/running.hpp"
#include "host/apps/plexctl/tests/scripted_server.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "support/temp_dir.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;
using json = nlohmann::ordered_json;
using Arguments = std::vector<std::string>;

namespace {

const std::string kDomain = "0197c0de-1111-7222-8333-444455556666";
const std::string kOrigin = "plexsphere/audit/domain:" + kDomain;
const std::string kChain = "/v1/domains/" + kDomain + "/audit";

// Signs as the signer does.
class SigningKey {
 public:
  explicit SigningKey(char seed)
      : key_(EVP_PKEY_new_raw_private_key(
                 EVP_PKEY_ED25519, nullptr,
                 reinterpret_cast<const unsigned char*>(std::string(32, seed).data()), 32),
             &EVP_PKEY_free) {}

  sdk::NoteKey public_half() const {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
    return {kOrigin, raw};
  }
  std::string text() const { return sdk::verifier_key(&sha256, public_half()); }
  std::string note(const sdk::Checkpoint& checkpoint) const {
    const std::string body = sdk::checkpoint_text(checkpoint);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get());
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                   reinterpret_cast<const unsigned char*>(body.data()), body.size());
    return sdk::note_text({body, {{kOrigin, sdk::note_key_id(&sha256, public_half()), signature}}});
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

// A chain of `entries`, with a checkpoint at each of `sizes`.
struct Chain {
  explicit Chain(int entries, const std::vector<int>& sizes = {3, 7},
                 const std::string& what = "x") {
    std::string previous(32, '\0');
    sdk::merkle::CompactRange tree(&sha256);
    for (int seq = 1; seq <= entries; ++seq) {
      const std::string bytes = R"({"v":1,"chain":")" + kDomain + R"(","seq":)" +
                                std::to_string(seq) + R"(,"relation":")" + what + R"("})";
      const std::string hash = sha256(previous + sha256(bytes));
      records.push_back({{"seq", seq},
                         {"prev_hash", sdk::hex_encode(previous)},
                         {"entry_hash", sdk::hex_encode(hash)},
                         {"canonical_bytes", sdk::base64_encode(bytes)}});
      tree.append(sdk::merkle::leaf_hash(&sha256, hash));
      previous = hash;
      if (std::find(sizes.begin(), sizes.end(), seq) != sizes.end()) {
        notes.push_back(key.note({kOrigin, static_cast<std::uint64_t>(seq), tree.root()}));
      }
    }
  }
  json checkpoint_items() const {
    json items = json::array();
    for (const std::string& note : notes) {
      items.push_back(
          {{"size", sdk::parse_checkpoint(sdk::parse_note(note)->text)->size}, {"note", note}});
    }
    return items;
  }

  SigningKey key{'k'};
  std::vector<json> records;
  std::vector<std::string> notes;
};

// The chain as an export in a directory of its own.
class Export {
 public:
  explicit Export(const Chain& chain) {
    std::ofstream(path() / "chain.json")
        << json{{"format", "plexsphere-audit-export/1"}, {"origin", kOrigin}}.dump() << "\n";
    for (const json& item : chain.checkpoint_items()) {
      std::ofstream(path() / "checkpoints.jsonl", std::ios::app) << item.dump() << "\n";
    }
    for (const json& record : chain.records) {
      std::ofstream(path() / "entries.jsonl", std::ios::app) << record.dump() << "\n";
    }
  }
  std::filesystem::path path() const { return files_.path(); }

  // Rewrites one file line by line; an empty line leaves.
  void edit(const std::string& file, const std::function<std::string(int, std::string)>& change) {
    std::ifstream in(path() / file);
    std::ostringstream out;
    int number = 0;
    for (std::string line; std::getline(in, line);) {
      line = change(++number, line);
      out << line << (line.empty() ? "" : "\n");
    }
    in.close();
    std::ofstream(path() / file) << out.str();
  }
  Run verify(const Arguments& more) const {
    Arguments arguments{"audit", "verify", path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return plexctl::plexctl(arguments, {"http://127.0.0.1:1", "psk_never_sent"});
  }

 private:
  test_support::TempDir files_;
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("an export that is as it was signed is intact, and nobody is asked", "[plexctl][audit]") {
  const Chain chain(9);
  const Export taken(chain);
  const Run run = taken.verify({"--key", chain.key.text()});
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(run.out == "intact: 9 entries, 7 of them under 2 checkpoints\n");
  const Run as_json = taken.verify({"--key", chain.key.text(), "--output", "json"});
  CHECK(json::parse(as_json.out) ==
        json{{"origin", kOrigin}, {"entries", 9}, {"checkpoints", 2}, {"covered", 7}});
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

TEST_CASE("a chain that was set back is restored, if what there is still holds",
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
  CHECK(run.code == 13);
  CHECK(contains(run.err, "restored: a note from before covers 9 entries"));

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
    CHECK_FALSE(std::filesystem::exists(files.path() / name / "chain.json"));
  }
  CHECK(plexctl::plexctl({"audit", "export", files.path() / "x"}).code == 2);
  CHECK(plexctl::plexctl({"audit", "export", files.path() / "x", "--platform", "--domain", kDomain})
            .code == 2);
}
