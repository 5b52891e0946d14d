// New wrap keys for Nodes' secret keys: an operator asks, a job does it while everything runs.
//
// A Domain's run makes a new version of its wrap key active, wraps every Node secret key of the
// Domain under it in small batches, rests until no replica can still wrap under an older version,
// and retires those. What is left to do is what names an older version, so a run that dies at any
// point goes on there. Agents notice nothing: authentication compares digests.
//
// Thread safety: any thread, after configure; run() on the job's. Blocks.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "app/token_service.hpp"
#include "plexsphere/sdk/seal.hpp"
#include "store/rewrap_store.hpp"

namespace plexsphere::identity {

struct RewrapPorts {
  sdk::Store store;
  sdk::Seal seal;
  sdk::Clock clock;
  sdk::Log log;
  sdk::Audit audit;
  sdk::Tenancy tenancy;
};

struct RewrapSettings {
  std::int64_t batch = 200;               // keys in one transaction
  std::chrono::milliseconds rest{};       // from the rotation to the retirement, at least
  std::chrono::milliseconds slice{1000};  // of one job run; the job thread is everybody's
};

class Rewrap {
 public:
  // Asks for another run of the job.
  using Wake = std::function<void()>;

  Rewrap(RewrapPorts ports, const RewrapStore& runs, RewrapSettings settings, Wake wake)
      : ports_(std::move(ports)), runs_(runs), settings_(settings), wake_(std::move(wake)) {}

  // Begins a run, or finds the one that is open. NOT_FOUND "domain_not_found", and
  // "nsk_wrap_key_not_found" for a Domain that never had a Node.
  sdk::Result<RewrapRun> request(const sdk::Uuid& domain_id, const Actor& actor,
                                 const CallContext& call) const;
  // The same for every Domain that ever had a Node. How many runs it began: Domains with an open
  // run keep that one.
  sdk::Result<std::size_t> request_all(const Actor& actor, const CallContext& call) const;

  // The newest run. NOT_FOUND "domain_not_found", "nsk_rewrap_not_found".
  sdk::Result<RewrapRun> status(const sdk::Uuid& domain_id) const;
  sdk::Result<std::vector<RewrapRun>> page(const sdk::Uuid& after, std::int64_t limit) const {
    return runs_.page(after, limit);
  }

  // The job: takes every open run on, until its slice is used.
  sdk::Status run(const sdk::JobRun& job) const;

 private:
  struct Slice;
  sdk::Status advance(const sdk::JobRun& job, RewrapRun run, const Slice& slice) const;
  sdk::Result<RewrapRun> rotate(const sdk::JobRun& job, const RewrapRun& run) const;
  sdk::Result<RewrapRun> wrap_batch(const sdk::JobRun& job, const RewrapRun& run) const;
  sdk::Result<RewrapRun> settle(const sdk::JobRun& job, const RewrapRun& run) const;
  sdk::Result<RewrappedKey> rewrap_key(const RewrapRun& run, const WrappedKey& key) const;
  // Writes `next` with one row of the Domain's chain, unless `relation` is empty.
  sdk::Result<RewrapRun> commit(sdk::Transaction tx, const RewrapRun& before, RewrapRun next,
                                std::string_view relation) const;
  sdk::Result<bool> begin_run(const sdk::Transaction& tx, const RewrapRun& run, const Actor& actor,
                              const CallContext& call) const;
  sdk::Result<RewrapRun> new_run(const sdk::Uuid& domain_id) const;
  sdk::Status stage(const sdk::Transaction& tx, const RewrapRun& run, std::string_view relation,
                    const Actor& actor, const CallContext& call) const;

  RewrapPorts ports_;
  const RewrapStore& runs_;
  RewrapSettings settings_;
  Wake wake_;
};

}  // namespace plexsphere::identity
