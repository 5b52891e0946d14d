// The tables of declared restores. Declared once in configure; afterwards any thread, every call
// blocks on the database.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/sdk/store.hpp"

namespace plexsphere::audit {

// An epoch that a declared restore began, with the statement as it was signed.
struct StoredEpoch {
  std::int64_t epoch = 1;        // 1, and nothing else: no restore was declared
  std::int64_t before_size = 0;  // entries of the last checkpoint before
  std::int64_t after_size = 0;   // entries that the chain went on from
  std::string note;
  std::string key_id;
  std::string public_key;  // 32 raw bytes
  sdk::Instant declared_at;
};

// What the database's administrator wants declared.
struct EpochRequest {
  sdk::Uuid id;
  sdk::Uuid chain;
  std::string reason;
  std::string statement;  // empty: not drafted yet
  std::string requested_by;
};

class EpochStore {
 public:
  EpochStore() = default;
  // [init]
  static sdk::Result<EpochStore> declare(const sdk::Store& store);

  // Of one chain, ascending.
  sdk::Result<std::vector<StoredEpoch>> list(const sdk::Uuid& chain) const;
  // The newest of one chain.
  sdk::Result<StoredEpoch> newest(const sdk::Uuid& chain) const;
  // The newest of every chain that has one.
  sdk::Result<std::map<sdk::Uuid, StoredEpoch>> every_newest() const;
  // FAILED_PRECONDITION "audit_epoch_not_newer". Holds the chain's lock until the transaction ends.
  sdk::Status add(const sdk::Transaction& tx, const sdk::Uuid& chain,
                  const StoredEpoch& epoch) const;

  // The oldest request that is open.
  sdk::Result<std::optional<EpochRequest>> open_request() const;
  sdk::Status draft(const sdk::Transaction& tx, const EpochRequest& request,
                    std::string_view statement) const;
  // Ends the request as "declared" or "refused".
  sdk::Status end(const sdk::Transaction& tx, const EpochRequest& request, std::string_view outcome,
                  std::string_view detail) const;
  // What keeps an open request from going on.
  sdk::Status tell(const sdk::Transaction& tx, const EpochRequest& request,
                   std::string_view detail) const;

 private:
  sdk::Store store_;
  sdk::Statement list_;
  sdk::Statement newest_;
  sdk::Statement every_newest_;
  sdk::Statement add_;
  sdk::Statement open_;
  sdk::Statement draft_;
  sdk::Statement end_;
  sdk::Statement tell_;
};

}  // namespace plexsphere::audit
