#include <sodium.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "bench/audit/parts.hpp"
#include "bench/support/report.hpp"
#include "host/apps/plexctl/audit_commands.hpp"
#include "host/apps/plexctl/digest.hpp"
#include "host/apps/plexctl/json_text.hpp"
#include "plexsphere/sdk/checkpoint.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kFloorOfHashing = 0.5;
const std::string kDomain = "0197c0de-1111-7222-8333-444455556666";
const std::string kOrigin = sdk::checkpoint::origin_of("domain:") + kDomain;

// The export of a chain by the real encoder, under one signed checkpoint, as plexctl writes it.
class Export {
 public:
  explicit Export(std::int64_t size) : size_(size) {
    const audit::Row row = audit::test::row_of(*sdk::Uuid::parse(kDomain), "project.read");
    std::ofstream entries(files_.path() / "entries.jsonl");
    std::string previous(sdk::merkle::kHashSize, '\0');
    sdk::merkle::CompactRange tree(&plexctl::sha256);
    for (std::int64_t seq = 1; seq <= size; ++seq) {
      last_ = row.head + std::to_string(seq) + row.tail;
      const std::string hash = plexctl::sha256(previous + plexctl::sha256(last_));
      entries << plexctl::Json{{"seq", seq},
                               {"canonical_bytes", sdk::base64_encode(last_)},
                               {"prev_hash", sdk::hex_encode(previous)},
                               {"entry_hash", sdk::hex_encode(hash)}}
                     .dump()
              << '\n';
      tree.append(sdk::merkle::leaf_hash(&plexctl::sha256, hash));
      previous = hash;
    }
    sign({kOrigin, static_cast<std::uint64_t>(size), tree.root()});
    std::ofstream(files_.path() / "chain.json") << plexctl::Json{
        {"format", "plexsphere-audit-export/1"},
        {"origin", kOrigin},
        {"entries", size}}.dump();
  }

  // As `plexctl audit verify` does.
  double verified_per_second() const {
    const auto start = Clock::now();
    const std::string verdict =
        plexctl::verify_audit(files_.path(), {key_}, {}, plexctl::Format::text);
    const double took = seconds_since(start);
    if (!verdict.starts_with("intact: " + std::to_string(size_) + " entries")) {
      throw std::runtime_error("an export that nobody touched does not verify: " + verdict);
    }
    return static_cast<double>(size_) / took;
  }
  double hashed_per_second() const { return bench::hashed_per_second(last_, size_); }

 private:
  void sign(const sdk::Checkpoint& checkpoint) {
    std::string open(crypto_sign_PUBLICKEYBYTES, '\0');
    std::string secret(crypto_sign_SECRETKEYBYTES, '\0');
    const auto bytes = [](std::string& text) {
      return reinterpret_cast<unsigned char*>(text.data());
    };
    crypto_sign_keypair(bytes(open), bytes(secret));
    std::string text = sdk::checkpoint_text(checkpoint);
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(bytes(signature), nullptr, bytes(text), text.size(), bytes(secret));
    const sdk::NoteKey key{kOrigin, open};
    key_ = sdk::verifier_key(&plexctl::sha256, key);
    const std::string note =
        sdk::note_text({text, {{kOrigin, sdk::note_key_id(&plexctl::sha256, key), signature}}});
    std::ofstream(files_.path() / "checkpoints.jsonl")
        << plexctl::Json{{"size", checkpoint.size},
                         {"root_hash", sdk::hex_encode(checkpoint.root)},
                         {"verifier_key", key_},
                         {"note", note}}
               .dump()
        << '\n';
  }

  const std::int64_t size_;
  test_support::TempDir files_;
  std::string last_;
  std::string key_;
};

}  // namespace

bool exports(const Plan& plan) {
  const Export chain(plan.export_size);
  std::vector<double> verified;
  std::vector<double> hashed;
  for (int round = 0; round < plan.rounds; ++round) {
    verified.push_back(chain.verified_per_second());
    hashed.push_back(chain.hashed_per_second());
  }
  return report({"audit_verify_export", median(verified), median(hashed), kFloorOfHashing});
}

}  // namespace plexsphere::bench
