// Chains and exports of them for tests of `plexctl audit`, signed as the signer signs.
#pragma once

#include <openssl/evp.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/tests/running.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/restore_statement.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::plexctl {

using json = nlohmann::ordered_json;
using Arguments = std::vector<std::string>;

inline const std::string kDomain = "0197c0de-1111-7222-8333-444455556666";
inline const std::string kOrigin = "plexsphere/audit/domain:" + kDomain;
inline const std::string kChain = "/v1/domains/" + kDomain + "/audit";

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
    return note(sdk::checkpoint_text(checkpoint));
  }
  std::string note(const std::string& body) const {
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
      items.push_back(checkpoint_item(note));
    }
    return items;
  }
  // As the server lists it.
  json checkpoint_item(const std::string& note) const {
    const auto checkpoint = *sdk::parse_checkpoint(sdk::parse_note(note)->text);
    return {{"size", checkpoint.size},
            {"root_hash", sdk::hex_encode(checkpoint.root)},
            {"signed_at", "2026-01-15T11:00:00.000000Z"},
            {"key_id", "k-1"},
            {"verifier_key", key.text()},
            {"note", note}};
  }

  SigningKey key{'k'};
  std::vector<json> records;
  std::vector<std::string> notes;
};

// The chain as an export in a directory of its own.
class Export {
 public:
  explicit Export(const Chain& chain) {
    std::ofstream(path() / "chain.json") << json{{"format", "plexsphere-audit-export/1"},
                                                 {"origin", kOrigin},
                                                 {"entries", chain.records.back().at("seq")}}
                                                .dump()
                                         << "\n";
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
  void append(const std::string& file, const json& line) const {
    std::ofstream(path() / file, std::ios::app) << line.dump() << "\n";
  }
  Run verify(const Arguments& more) const {
    Arguments arguments{"audit", "verify", path().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return plexctl::plexctl(arguments, {"http://127.0.0.1:1", "psk_never_sent"});
  }

 private:
  test_support::TempDir files_;
};

inline std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

}  // namespace plexsphere::plexctl
