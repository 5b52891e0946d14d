// A signer over a real seed file and a real memory directory, with a clock that tests move.
#pragma once

#include <sodium.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "app/signer.hpp"
#include "provider/software_provider.hpp"
#include "rpc/service.hpp"
#include "store/file_journal.hpp"
#include "store/file_memory.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::signing::testing {

inline constexpr std::string_view kDomain = "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3";
inline constexpr std::string_view kOtherDomain = "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a4";

// The 32 bytes 00..1f, in a file as the provider wants it.
inline std::string write_seed(const test_support::TempDir& directory, const char* name = "seed") {
  std::string seed;
  for (int i = 0; i < 32; ++i) {
    seed.push_back(static_cast<char>(i));
  }
  const std::string path = directory.write(name, seed).string();
  REQUIRE(chmod(path.c_str(), 0400) == 0);
  return path;
}

class SignerFixture {
 public:
  explicit SignerFixture(SignerSettings settings = {}) : settings_(settings) { restart(); }

  // As after a crash: a new instance over the same seed and state.
  void restart() {
    signer_.reset();
    journal_.reset();
    memory_.reset();
    provider_ = SoftwareProvider::open(seed_).value();
    const PublicKey document_key = provider_->generate(document_key_name()).value();
    memory_ = FileMemory::open(state(), document_key).value();
    signer_ = Signer::create(
                  settings_, *provider_, *memory_, [this] { return now; },
                  [this](std::string_view event, std::string_view text) {
                    notices.push_back(std::string(event) + ": " + std::string(text));
                  })
                  .value();
    journal_ = FileJournal::open(state(), [](std::string_view, std::string_view) {}).value();
  }

  // What a server serves with; `notice` may be called from several threads.
  ServiceParts parts(Signer::Notice notice = [](std::string_view, std::string_view) {}) {
    return {*signer_, *journal_,
            [this] { return std::chrono::time_point_cast<std::chrono::milliseconds>(now); },
            std::move(notice)};
  }
  FileJournal& journal() { return *journal_; }

  [[nodiscard]] std::string state() const { return (directory_.path() / "state").string(); }
  [[nodiscard]] const test_support::TempDir& directory() const { return directory_; }
  Signer& operator*() { return *signer_; }
  Signer* operator->() { return signer_.get(); }

  UnixSeconds now{std::chrono::seconds(1767225600)};
  std::vector<std::string> notices;

 private:
  test_support::TempDir directory_;
  std::string seed_ = write_seed(directory_);
  SignerSettings settings_;
  std::unique_ptr<SoftwareProvider> provider_;
  std::unique_ptr<FileMemory> memory_;
  std::unique_ptr<Signer> signer_;
  std::unique_ptr<FileJournal> journal_;
};

inline std::string event_under(std::string_view key_id) {
  return R"({"id":"e","type":"node_state_updated","scope":"node:1","key_id":")" +
         std::string(key_id) + R"(","issued_at":"2026-01-15T10:30:00Z","payload":{}})";
}

inline std::string note_of(std::string_view scope) {
  return "plexsphere.example/audit/" + std::string(scope) +
         "\n7\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
}

template <class Key, class Bytes>
bool verifies(const Key& key, std::string_view message, const Bytes& signature) {
  return crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(signature.data()),
                                     reinterpret_cast<const unsigned char*>(message.data()),
                                     message.size(),
                                     reinterpret_cast<const unsigned char*>(key.data())) == 0;
}

}  // namespace plexsphere::signing::testing
