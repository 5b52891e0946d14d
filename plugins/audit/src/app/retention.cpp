#include "app/retention.hpp"

#include "app/archive_settings.hpp"
#include "app/tiled_tree.hpp"

namespace plexsphere::audit {

using sdk::Result;
using sdk::Status;
using sdk::Uuid;

Result<RetentionSettings> read_retention_settings(const sdk::Config& config) {
  RetentionSettings out;
  const auto kept = config.duration("hot_retention");
  if (!kept.ok() && kept.error().reason != "unset") {
    return kept.error();
  }
  if (kept.ok()) {
    out.kept = *kept;
  }
  const auto domains = config.list("hot_domain_retention");
  if (!domains.ok()) {
    return domains.error();
  }
  auto own = read_days(*domains, "hot_domain_retention");
  if (!own.ok()) {
    return own.error();
  }
  out.kept_of = std::move(*own);
  return out;
}

Result<Retention::Next> Retention::next(const Uuid& chain) const {
  const auto now = boundaries_.find(chain);
  if (!now.ok()) {
    return now.error();
  }
  Next out{*now, false};
  const auto kept = settings_.for_chain(chain);
  const auto newest = checkpoints_.find(chain, std::nullopt);
  if (!newest.ok() || !newest.value() || !kept) {
    return newest.ok() ? Result<Next>(std::move(out)) : newest.error();
  }
  const std::int64_t most = (newest.value()->size / kTileLeaves - 1) * kTileLeaves;
  if (most <= out.boundary.seq) {
    return out;
  }
  const auto tiles = boundaries_.tiles(chain, out.boundary.seq, clock_.now() - *kept, kTilesAtOnce);
  if (!tiles.ok()) {
    return tiles.error();
  }
  for (const Tile& tile : *tiles) {
    if (!tile.may_leave || tile.last > most || tile.last != out.boundary.seq + kTileLeaves) {
      break;
    }
    out = {{tile.last, tile.entry_hash}, true};
  }
  return out;
}

Status Pruner::run(const sdk::JobRun& job) const {
  const auto all = boundaries_.all();
  if (!all.ok()) {
    return all.error();
  }
  const auto ends = clock_.steady() + kSlice;
  for (const auto& [chain, boundary] : *all) {
    if (auto pruned = prune(job, chain, boundary, ends); !pruned.ok()) {
      return pruned;
    }
  }
  return {};
}

Status Pruner::prune(const sdk::JobRun& job, const Uuid& chain, const Boundary& boundary,
                     std::chrono::nanoseconds ends) const {
  std::int64_t left = 0;
  for (std::int64_t batch = kBatch; batch == kBatch && !job.should_stop() && clock_.steady() < ends;
       left += batch) {
    auto tx = job.begin();
    if (!tx.ok()) {
      return tx.error();
    }
    const auto pruned = boundaries_.prune(*tx, chain, kBatch);
    if (!pruned.ok()) {
      return pruned.error();
    }
    if (auto committed = tx->commit(); !committed.ok()) {
      return committed;
    }
    batch = *pruned;
    pruned_.add(static_cast<double>(batch));
  }
  if (left > 0) {
    log_.info("audit.pruned", {{"chain", chain.text()},
                               {"entries", std::to_string(left)},
                               {"boundary", std::to_string(boundary.seq)}});
  }
  return {};
}

}  // namespace plexsphere::audit
