#include "tamper/export_attacks.hpp"

#include <sodium.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/digest.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/merkle.hpp"

namespace plexsphere::tamper {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kTampered = 10;
constexpr int kTruncated = 11;
constexpr int kIncomplete = 12;
constexpr std::size_t kEntry = 500;

std::string& line(ExportCopy& copy, std::size_t seq) {
  return copy.entries[seq - 1];
}

// One member of a line.
void set(std::string& line, const char* member, const Json& value) {
  Json json = Json::parse(line);
  json[member] = value;
  line = json.dump();
}

std::string bytes_of(const std::string& line) {
  return *sdk::base64_decode(Json::parse(line).at("canonical_bytes").get<std::string>());
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

// Another reason in an entry, which every entry has one of.
void forge(ExportCopy& copy, std::size_t seq) {
  const std::string forged =
      replaced(bytes_of(line(copy, seq)), "\"reason\":\"granted\"", "\"reason\":\"unknown\"");
  set(line(copy, seq), "canonical_bytes", sdk::base64_encode(forged));
}

// Every link and hash from an entry on, made to fit its bytes.
void rehash(ExportCopy& copy, std::size_t from) {
  std::string before(32, '\0');
  if (from > 1) {
    before =
        *sdk::hex_decode(Json::parse(line(copy, from - 1)).at("entry_hash").get<std::string>());
  }
  for (std::size_t seq = from; seq <= copy.entries.size(); ++seq) {
    const std::string hash = audit::entry_hash(before, bytes_of(line(copy, seq)));
    set(line(copy, seq), "prev_hash", sdk::hex_encode(before));
    set(line(copy, seq), "entry_hash", sdk::hex_encode(hash));
    before = hash;
  }
}

// Checkpoints of what there is now, signed under a key of the attacker's.
void sign_again(ExportCopy& copy, std::size_t first) {
  std::string open(crypto_sign_PUBLICKEYBYTES, '\0');
  std::string secret(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_keypair(reinterpret_cast<unsigned char*>(open.data()),
                      reinterpret_cast<unsigned char*>(secret.data()));
  sdk::merkle::CompactRange tree(&audit::sha256);
  std::size_t next = 0;
  for (const std::string& entry : copy.entries) {
    tree.append(sdk::merkle::leaf_hash(
        &audit::sha256, *sdk::hex_decode(Json::parse(entry).at("entry_hash").get<std::string>())));
    Json item = next < copy.checkpoints.size() ? Json::parse(copy.checkpoints[next]) : Json();
    if (item.is_null() || item.at("size") != tree.size()) {
      continue;
    }
    const std::string origin = Json::parse(copy.chain[0]).at("origin").get<std::string>();
    const std::string text = sdk::checkpoint_text({origin, tree.size(), tree.root()});
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         reinterpret_cast<const unsigned char*>(secret.data()));
    const sdk::NoteKey key{origin, open};
    item["root_hash"] = sdk::hex_encode(tree.root());
    item["verifier_key"] = sdk::verifier_key(&audit::sha256, key);
    item["note"] =
        sdk::note_text({text, {{origin, sdk::note_key_id(&audit::sha256, key), signature}}});
    if (next >= first) {
      copy.checkpoints[next] = item.dump();
    }
    ++next;
  }
}

// The export as one would be that was made at an earlier checkpoint.
void make_earlier(ExportCopy& copy, std::size_t checkpoints) {
  copy.checkpoints.resize(checkpoints);
  const auto size = Json::parse(copy.checkpoints.back()).at("size").get<std::size_t>();
  copy.entries.resize(size);
  set(copy.chain[0], "entries", size);
}

std::vector<ExportAttack> on_lines(std::size_t end) {
  const std::string covered = std::to_string(end);
  const auto member = [](const char* name, const Json& value) {
    return [name, value](ExportCopy& copy) { set(line(copy, kEntry), name, value); };
  };
  const std::string hash(64, 'a');
  return {
      {"a link",
       member("prev_hash", hash),
       {kTampered, "tampered: entry 500 does not follow from the entry before it"}},
      {"a hash",
       member("entry_hash", hash),
       {kTampered, "tampered: the bytes of entry 500 are not those of its hash"}},
      {"no hash",
       member("entry_hash", nullptr),
       {kTampered, "tampered: the bytes of entry 500 are not those of its hash"}},
      {"bytes",
       [](ExportCopy& copy) { forge(copy, kEntry); },
       {kTampered, "tampered: the bytes of entry 500 are not those of its hash"}},
      {"a number",
       member("seq", 1500),
       {kTampered, "tampered: in place of entry 500 comes entry 1500, whose bytes"}},
      {"no number",
       member("seq", "500"),
       {kTampered, "tampered: in place of entry 500 comes entry 0, whose bytes"}},
      {"two entries swapped",
       [](ExportCopy& copy) { std::swap(line(copy, kEntry), line(copy, kEntry + 1)); },
       {kTampered, "tampered: entry 500 comes after entry 501"}},
      {"the first and the last swapped",
       [](ExportCopy& copy) { std::swap(copy.entries.front(), copy.entries.back()); },
       {kTampered, "tampered: entry 1 comes after entry " + covered}},
      {"an entry twice",
       [](ExportCopy& copy) {
         copy.entries.insert(copy.entries.begin() + kEntry, line(copy, kEntry));
       },
       {kTampered, "tampered: entry 500 comes twice"}},
      {"an entry dropped",
       [](ExportCopy& copy) { copy.entries.erase(copy.entries.begin() + kEntry - 1); },
       {kIncomplete, "incomplete: entry 500 is missing; entry 501 comes in its place"}},
      {"the first entry dropped",
       [](ExportCopy& copy) { copy.entries.erase(copy.entries.begin()); },
       {kIncomplete, "incomplete: entry 1 is missing; entry 2 comes in its place"}},
      {"the end cut off",
       [](ExportCopy& copy) { copy.entries.resize(kEntry); },
       {kTruncated, "truncated: a checkpoint covers " + covered + " entries, and there are 500"}},
      {"everything cut off",
       [](ExportCopy& copy) { copy.entries.clear(); },
       {kTruncated, "truncated: a checkpoint covers " + covered + " entries, and there are 0"}},
      {"half a line",
       [](ExportCopy& copy) { line(copy, kEntry).resize(line(copy, kEntry).size() / 2); },
       {kIncomplete, "incomplete: line 500 of '"}},
  };
}

std::vector<ExportAttack> on_chain(const Origin& origin, std::size_t middle, std::size_t end) {
  const Lines others = lines_of(origin.other_exported() / "entries.jsonl");
  const auto graft = [others](ExportCopy& copy) {
    std::copy(others.begin() + 9, others.begin() + 15, copy.entries.begin() + 9);
  };
  const auto not_signed = [](std::size_t size) {
    return Outcome{kTampered, "tampered: the first " + std::to_string(size) +
                                  " entries are not those of a signed checkpoint"};
  };
  return {
      {"every hash from the first on",
       [](ExportCopy& copy) {
         forge(copy, 1);
         rehash(copy, 1);
       },
       not_signed(Json::parse(ExportCopy(origin).checkpoints[0]).at("size").get<std::size_t>())},
      {"every hash from the middle on",
       [](ExportCopy& copy) {
         forge(copy, kEntry);
         rehash(copy, kEntry);
       },
       not_signed(middle)},
      {"the last entry and its hash",
       [end](ExportCopy& copy) {
         forge(copy, end);
         rehash(copy, end);
       },
       not_signed(end)},
      {"every hash, and every note signed again under another key",
       [](ExportCopy& copy) {
         forge(copy, kEntry);
         rehash(copy, kEntry);
         sign_again(copy, 0);
       },
       {kIncomplete, "incomplete: no checkpoint is signed under a key that you trust"}},
      {"every hash, and the notes from there on signed again",
       [](ExportCopy& copy) {
         forge(copy, kEntry);
         rehash(copy, kEntry);
         sign_again(copy, 1);
       },
       {kIncomplete, "incomplete: there are " + std::to_string(end) + " entries, and the newest"}},
      {"another chain's entries",
       graft,
       {kTampered, "tampered: entry 10 does not follow from the entry before it"}},
      {"another chain's entries, every hash made to fit",
       [graft](ExportCopy& copy) {
         graft(copy);
         rehash(copy, 10);
       },
       {kTampered, "tampered: the bytes of entry 10 are those of another entry or chain"}},
      {"another chain as a whole",
       [&origin](ExportCopy& copy) {
         copy.checkpoints = lines_of(origin.other_exported() / "checkpoints.jsonl");
         copy.entries = lines_of(origin.other_exported() / "entries.jsonl");
       },
       {kTampered, "tampered: checkpoint 1 is of 'plexsphere/audit/domain:"}},
      {"another origin",
       [&origin](ExportCopy& copy) {
         copy.chain = lines_of(origin.other_exported() / "chain.json");
       },
       {kTampered, "tampered: checkpoint 1 is of 'plexsphere/audit/domain:"}},
  };
}

// `second` is the size of the second note, `before` of the last but one.
std::vector<ExportAttack> on_notes(std::size_t second, std::size_t before, std::size_t end) {
  const std::string under_none = "incomplete: there are " + std::to_string(end) +
                                 " entries, and the newest checkpoint that is signed under a key "
                                 "that you trust covers " +
                                 std::to_string(before);
  const auto beside = [](const char* member, const Json& value) {
    return [member, value](ExportCopy& copy) { set(copy.checkpoints[1], member, value); };
  };
  const Outcome differs{
      kTampered, "tampered: what stands beside the note of checkpoint 2 is not what it says"};
  return {
      {"the newest note gone",
       [](ExportCopy& copy) { copy.checkpoints.pop_back(); },
       {kIncomplete, under_none}},
      {"a note in between gone",
       [](ExportCopy& copy) { copy.checkpoints.erase(copy.checkpoints.begin() + 1); },
       {kIncomplete, "incomplete: entry " + std::to_string(second + 1) +
                         " tells of a checkpoint of " + std::to_string(second) +
                         " entries, and it is missing"}},
      {"all notes gone",
       [](ExportCopy& copy) { copy.checkpoints.clear(); },
       {kIncomplete, "incomplete: "}},
      {"notes in another order",
       [](ExportCopy& copy) { std::swap(copy.checkpoints[0], copy.checkpoints[1]); },
       {kTampered, "tampered: a checkpoint of "}},
      {"a note twice",
       [](ExportCopy& copy) { copy.checkpoints.push_back(copy.checkpoints.back()); },
       {kTampered, "tampered: a checkpoint of "}},
      {"a note's size",
       [second](ExportCopy& copy) {
         copy.checkpoints[1] = replaced(copy.checkpoints[1], "\\n" + std::to_string(second) + "\\n",
                                        "\\n" + std::to_string(second + 1) + "\\n");
       },
       {kTampered, "tampered: the signature of checkpoint 2 does not verify"}},
      {"a size beside its note", beside("size", second + 1), differs},
      {"a root beside its note", beside("root_hash", std::string(64, '0')), differs},
      {"a key beside its note",
       beside("verifier_key", "x+00000000+AA=="),
       {kTampered, "tampered: checkpoint 2 is not signed under the key that stands beside it"}},
      {"how many entries there are",
       [](ExportCopy& copy) { set(copy.chain[0], "entries", 7); },
       {kTampered,
        "tampered: chain.json speaks of 7 entries, and there are " + std::to_string(end)}},
      {"an origin that is none",
       [](ExportCopy& copy) { set(copy.chain[0], "origin", "x"); },
       {kIncomplete, "incomplete: 'x' is no origin of an audit chain"}},
  };
}

}  // namespace

std::vector<ExportAttack> export_attacks(const Origin& origin) {
  const ExportCopy copy(origin);
  const auto size = [&](std::size_t number) {
    return Json::parse(copy.checkpoints[number]).at("size").get<std::size_t>();
  };
  std::vector<ExportAttack> all = on_lines(copy.entries.size());
  for (auto& more : {on_chain(origin, size(1), copy.entries.size()),
                     on_notes(size(1), size(copy.checkpoints.size() - 2), copy.entries.size())}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

void roll_back(ExportCopy& copy, std::size_t checkpoints) {
  make_earlier(copy, checkpoints);
}

std::string note_of(const std::string& line) {
  return Json::parse(line).at("note").get<std::string>();
}

}  // namespace plexsphere::tamper
