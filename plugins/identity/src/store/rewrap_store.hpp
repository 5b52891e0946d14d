// The table of re-wrap runs, and the wrapped keys they work through.
// Thread safety: declare at configure, then any thread; blocks. Transactions are the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/rewrap_run.hpp"
#include "plexsphere/sdk/seal.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::identity {

struct RewrapRun {
  sdk::Uuid id;
  sdk::Uuid domain_id;
  sdk::Uuid request_id;           // shared by the runs of one call
  bool whole_deployment = false;  // that call named no Domain
  RewrapState state = RewrapState::requested;
  std::int32_t from_version = 0;
  std::int32_t to_version = 0;  // zero: not rotated yet
  std::int64_t total = 0;
  std::int64_t rewrapped = 0;
  sdk::Uuid after_node_id;
  sdk::Instant requested_at;
  std::optional<sdk::Instant> started_at;
  std::optional<sdk::Instant> finished_at;
  std::optional<sdk::Instant> retired_at;
};

// A secret key that names an older wrap key.
struct WrappedKey {
  sdk::Uuid key_id;
  sdk::Uuid node_id;
  sdk::Uuid wrap_key_id;
  std::string blob;
};

// The same secret, wrapped anew.
struct RewrappedKey {
  sdk::Uuid key_id;
  sdk::Uuid old_wrap_key_id;  // the row is left alone if it names another by now
  sdk::Sealed wrapped;
};

class RewrapStore {
 public:
  static constexpr std::int64_t kMostOpen = 1000;

  sdk::Status declare(const sdk::Store& store);

  // False when the Domain has an open run.
  sdk::Result<bool> insert(const sdk::Transaction& tx, const RewrapRun& run) const;
  // The Domain's newest run.
  sdk::Result<std::optional<RewrapRun>> latest(const sdk::Uuid& domain_id) const;
  // Every Domain's newest run, by ascending Domain after `after`.
  sdk::Result<std::vector<RewrapRun>> page(const sdk::Uuid& after, std::int64_t limit) const;
  // Domains that ever had a Node, in ascending order.
  sdk::Result<std::vector<sdk::Uuid>> domains() const;
  // Runs that are not done, oldest first, at most kMostOpen.
  sdk::Result<std::vector<RewrapRun>> open() const;
  // The run as it is, where it is still in state `before`; false otherwise.
  sdk::Result<bool> update(const sdk::Transaction& tx, const RewrapRun& run,
                           RewrapState before) const;

  // Keys of the Domain's Nodes from `from_node` on that name a version below `version`.
  sdk::Result<std::vector<WrappedKey>> older(const sdk::Uuid& domain_id, std::int32_t version,
                                             const sdk::Uuid& from_node, std::int64_t limit) const;
  sdk::Result<std::int64_t> count_older(const sdk::Uuid& domain_id, std::int32_t version) const;
  // Returns how many rows were changed.
  sdk::Result<std::size_t> rewrap(const sdk::Transaction& tx,
                                  const std::vector<RewrappedKey>& keys) const;

 private:
  sdk::Store store_;
  sdk::Statement insert_, latest_, page_, domains_, open_, update_, older_, count_older_, rewrap_;
};

}  // namespace plexsphere::identity
