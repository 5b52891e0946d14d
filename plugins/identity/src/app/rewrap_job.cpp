// What the job does: rotate, wrap in batches, rest, retire. Each step ends in one commit and may be
// repeated.
#include "app/nsk_seal.hpp"
#include "app/rewrap.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::identity {
namespace {

Actor job_actor() {
  return {"system", {}, {}};
}

sdk::Error overtaken() {
  return {sdk::Code::aborted, "nsk_rewrap_overtaken", "Another leader took the run on."};
}

}  // namespace

// Until when this run of the job may go on.
struct Rewrap::Slice {
  std::chrono::nanoseconds ends;
};

sdk::Status Rewrap::run(const sdk::JobRun& job) const {
  auto open = runs_.open();
  if (!open.ok()) {
    return open.error();
  }
  const Slice slice{ports_.clock.steady() + settings_.slice};
  sdk::Status outcome;
  for (const RewrapRun& run : *open) {
    if (job.should_stop() || ports_.clock.steady() >= slice.ends) {
      wake_();
      break;
    }
    // One Domain's fault is not the others'.
    if (auto advanced = advance(job, run, slice); !advanced.ok()) {
      ports_.log.error("nsk_rewrap_failed", {{"domain_id", run.domain_id.text()},
                                             {"reason", advanced.error().reason},
                                             {"detail", advanced.error().detail}});
      outcome = advanced;
    }
  }
  return outcome;
}

sdk::Status Rewrap::advance(const sdk::JobRun& job, RewrapRun run, const Slice& slice) const {
  while (run.state != RewrapState::done) {
    if (job.should_stop() || ports_.clock.steady() >= slice.ends) {
      wake_();
      return {};
    }
    auto next = run.state == RewrapState::requested ? rotate(job, run)
                : run.state == RewrapState::running ? wrap_batch(job, run)
                                                    : settle(job, run);
    if (!next.ok()) {
      return next.error();
    }
    if (run.state == RewrapState::resting && next->state == RewrapState::resting) {
      return {};
    }
    run = std::move(*next);
  }
  return {};
}

sdk::Result<RewrapRun> Rewrap::commit(sdk::Transaction tx, const RewrapRun& before, RewrapRun next,
                                      std::string_view relation) const {
  auto updated = runs_.update(tx, next, before.state);
  if (!updated.ok()) {
    return updated.error();
  }
  if (!*updated) {
    return overtaken();
  }
  if (!relation.empty()) {
    if (auto staged = stage(tx, next, relation, job_actor(), {}); !staged.ok()) {
      return staged.error();
    }
  }
  if (auto committed = tx.commit(); !committed.ok()) {
    return committed.error();
  }
  return next;
}

sdk::Result<RewrapRun> Rewrap::rotate(const sdk::JobRun& job, const RewrapRun& run) const {
  auto active = ports_.seal.rotate(nsk_scope(run.domain_id), run.from_version);
  if (!active.ok()) {
    return active.error();
  }
  PLEXSPHERE_FAILPOINT("rewrap.rotated");
  auto total = runs_.count_older(run.domain_id, active->version);
  if (!total.ok()) {
    return total.error();
  }
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  RewrapRun next = run;
  next.state = RewrapState::running;
  next.to_version = active->version;
  next.total = *total;
  next.started_at = ports_.clock.now();
  return commit(std::move(*tx), run, std::move(next), "nsk.wrap_key_rotate");
}

sdk::Result<RewrappedKey> Rewrap::rewrap_key(const RewrapRun& run, const WrappedKey& key) const {
  const std::string scope = nsk_scope(run.domain_id);
  const std::string binding = nsk_binding(key.node_id);
  auto plain = ports_.seal.unseal(scope, key.wrap_key_id, binding, key.blob);
  if (!plain.ok()) {
    return sdk::Error{plain.error().code, plain.error().reason,
                      "Node secret key " + key.key_id.text() + ": " + plain.error().detail};
  }
  auto sealed = ports_.seal.seal(scope, binding, plain->bytes());
  if (sealed.ok() && sealed->wrap_key_version < run.to_version) {
    // This replica has taken the run over and still remembers the older version.
    if (auto active = ports_.seal.active(scope); !active.ok()) {
      return active.error();
    }
    sealed = ports_.seal.seal(scope, binding, plain->bytes());
  }
  if (!sealed.ok()) {
    return sealed.error();
  }
  return RewrappedKey{key.key_id, key.wrap_key_id, std::move(*sealed)};
}

sdk::Result<RewrapRun> Rewrap::wrap_batch(const sdk::JobRun& job, const RewrapRun& run) const {
  auto older = runs_.older(run.domain_id, run.to_version, run.after_node_id, settings_.batch);
  if (!older.ok()) {
    return older.error();
  }
  RewrapRun next = run;
  const bool whole_pass = run.after_node_id.is_zero();
  next.after_node_id = older->empty() ? sdk::Uuid{} : older->back().node_id;
  const bool finished = older->empty() && whole_pass;
  if (finished) {
    next.state = RewrapState::resting;
    next.finished_at = run.finished_at.value_or(ports_.clock.now());
  }
  std::vector<RewrappedKey> keys;
  for (const WrappedKey& key : *older) {
    auto rewrapped = rewrap_key(run, key);
    if (!rewrapped.ok()) {
      return rewrapped.error();
    }
    keys.push_back(std::move(*rewrapped));
  }
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (!keys.empty()) {
    auto changed = runs_.rewrap(*tx, keys);
    if (!changed.ok()) {
      return changed.error();
    }
    next.rewrapped += static_cast<std::int64_t>(*changed);
  }
  PLEXSPHERE_FAILPOINT("rewrap.batch");
  return commit(std::move(*tx), run, std::move(next),
                finished && !run.finished_at ? "nsk.rewrap_finish" : "");
}

sdk::Result<RewrapRun> Rewrap::settle(const sdk::JobRun& job, const RewrapRun& run) const {
  auto left = runs_.count_older(run.domain_id, run.to_version);
  if (!left.ok()) {
    return left.error();
  }
  const sdk::Instant now = ports_.clock.now();
  const auto outcome =
      rest_outcome(now >= run.started_at.value_or(now) + settings_.rest, *left > 0);
  if (outcome == RestOutcome::wait) {
    return run;
  }
  RewrapRun next = run;
  if (outcome == RestOutcome::run_again) {
    next.state = RewrapState::running;
    next.total += *left;
  } else {
    if (auto retired = ports_.seal.retire(nsk_scope(run.domain_id), run.to_version);
        !retired.ok()) {
      return retired.error();
    }
    PLEXSPHERE_FAILPOINT("rewrap.retired");
    next.state = RewrapState::done;
    next.retired_at = now;
  }
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  return commit(std::move(*tx), run, std::move(next),
                outcome == RestOutcome::retire ? "nsk.wrap_key_retire" : "");
}

}  // namespace plexsphere::identity
