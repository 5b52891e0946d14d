// How the chain that is tampered with came to be: by the real plugin, with a signer, a mirror and
// an erasure, and exported by the real plexctl. Made once; then every process is gone.
#pragma once

#include <memory>
#include <string>

#include "chain_database.hpp"
#include "live_audit.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "support/s3_server.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::tamper {

class Origin {
 public:
  static constexpr int kEntries = 1'000;  // of the chain, exactly
  static constexpr int kOthers = 40;      // of another Domain's, at least

  Origin();

  // Who the entries are by and about: one of ten persons.
  static sdk::Uuid subject(int number);

  audit::test::ChainDatabase& database() { return database_; }
  const sdk::Uuid& chain() const { return chain_; }
  const sdk::Uuid& other() const { return other_; }
  test_support::S3Server& mirror() { return mirror_; }
  // An export as `plexctl audit export` made it, and the key that an auditor trusts.
  const std::filesystem::path& exported() const { return exported_; }
  const std::filesystem::path& other_exported() const { return other_exported_; }
  const std::string& key() const { return key_; }

  // A core with the mirror, and without a signer, that looks at the chains and at the mirror once a
  // second. One at a time.
  std::unique_ptr<audit::test::LiveAudit> core(const std::string& settings = {});
  // Takes a chain home as it is now, into a directory of this name.
  std::filesystem::path take_export(const audit::test::LiveAudit& live, const sdk::Uuid& chain,
                                    const std::string& name) const;

 private:
  void make_signed_part();
  std::string settings() const;
  void fill(const audit::test::LiveAudit& live, const sdk::Uuid& chain, int entries);
  void wait_until_signed(const sdk::Uuid& chain) const;
  int head(const sdk::Uuid& chain) const;
  std::string ask(const std::string& sql) const { return database_.query(sql); }

  test_support::TempDir files_;
  audit::test::ChainDatabase database_;
  test_support::S3Server mirror_;
  sdk::Uuid chain_ = sdk::Uuid::v7(1);
  sdk::Uuid other_ = sdk::Uuid::v7(2);
  std::filesystem::path exported_;
  std::filesystem::path other_exported_;
  std::string key_;
  int made_ = 0;
};

}  // namespace plexsphere::tamper
