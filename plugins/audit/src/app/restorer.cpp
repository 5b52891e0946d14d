#include "app/restorer.hpp"

#include <utility>

#include "app/rows.hpp"
#include "plexsphere/sdk/encoding.hpp"
#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::audit {

using sdk::Error;
using sdk::Result;
using sdk::Status;

Restorer::Restorer(Parts parts)
    : parts_(std::move(parts)), mirror_(parts_.egress, parts_.settings) {}

void Restorer::start() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
  }
  thread_ = std::thread([this] { work(); });
}

void Restorer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool Restorer::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// --- the leader's job ----------------------------------------------------------------------------

Status Restorer::run(const sdk::JobRun& run) {
  std::optional<Done> done;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || working_ || next_) {
      return {};
    }
    done = std::exchange(done_, std::nullopt);
  }
  if (done) {
    if (auto taken = take(run, *done); !taken.ok()) {
      return taken;
    }
    if (!done->trouble.empty()) {
      return {};  // again with the next period
    }
  }
  return pick();
}

Status Restorer::pick() {
  const auto request = parts_.requests.open();
  if (!request.ok() || !request.value()) {
    return request.ok() ? Status() : Status(request.error());
  }
  auto missing = parts_.requests.missing(*request.value(), kBatch);
  if (!missing.ok()) {
    return missing.error();
  }
  {
    const std::lock_guard lock(mutex_);
    next_ = Task{*request.value(), std::move(*missing)};
  }
  changed_.notify_all();
  return {};
}

Status Restorer::take(const sdk::JobRun& run, const Done& done) {
  if (!done.refusal.empty()) {
    return close(run, done.request, "refused", done.refusal);
  }
  if (!done.proof.empty()) {
    return close(run, done.request, "restored", done.proof);
  }
  Error refused;
  {
    auto tx = run.begin();
    if (!tx.ok()) {
      return tx.error();
    }
    const auto written = done.trouble.empty()
                             ? parts_.requests.insert(*tx, done.request, done.entries)
                             : parts_.requests.tell(*tx, done.request, done.trouble);
    if (written.ok()) {
      PLEXSPHERE_FAILPOINT("restore.inserted");
      auto committed = tx->commit();
      PLEXSPHERE_FAILPOINT("restore.committed");
      return committed;
    }
    refused = written.error();
  }
  if (refused.reason.starts_with("audit_restore_")) {
    return close(run, done.request, "refused", refused.reason + ": " + refused.detail);
  }
  return refused;
}

Status Restorer::close(const sdk::JobRun& run, const RestoreRequest& request, std::string_view how,
                       const std::string& detail) {
  const auto row = own_row(request, how);
  if (!row.ok()) {
    return row.error();
  }
  auto tx = run.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto ended = parts_.requests.end(*tx, request, how, detail); !ended.ok()) {
    return ended;
  }
  if (auto appended = parts_.chains.append(*tx, {&row.value()}); !appended.ok()) {
    return appended;
  }
  PLEXSPHERE_FAILPOINT("restore.declaring");
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed;
  }
  PLEXSPHERE_FAILPOINT("restore.declared");
  parts_.log.warn("audit.restore_ended", {{"request", request.id.text()},
                                          {"chain", request.chain.text()},
                                          {"outcome", std::string(how)},
                                          {"detail", detail}});
  return {};
}

Result<Row> Restorer::own_row(const RestoreRequest& request, std::string_view how) const {
  const std::string window = std::to_string(request.from) + "-" + std::to_string(request.to);
  const std::string id = request.id.text();
  return audit::own_row(request.chain,
                        {"audit.restore",
                         "audit.restore",
                         "audit_restore_request",
                         id,
                         id,
                         {"entries", window, std::string(how)}},
                        parts_.clock.now(), parts_.peppers);
}

// --- the restorer's thread -----------------------------------------------------------------------

void Restorer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || next_; });
    if (stopping_) {
      return;
    }
    const Task task = std::move(*next_);
    next_.reset();
    working_ = true;
    lock.unlock();
    Done done;
    done.request = task.request;
    PLEXSPHERE_FAILPOINT("restore.picked");
    if (task.missing.empty()) {
      prove(task, done);
      PLEXSPHERE_FAILPOINT("restore.proved");
    } else {
      bring(task, done);
      PLEXSPHERE_FAILPOINT("restore.fetched");
    }
    lock.lock();
    working_ = false;
    done_ = std::move(done);
    lock.unlock();
    parts_.wake();
    lock.lock();
  }
}

void Restorer::bring(const Task& task, Done& done) const {
  std::vector<std::string> keys;
  for (const std::int64_t seq : task.missing) {
    keys.push_back(object_key(task.request.chain, seq));
  }
  const auto objects = mirror_.get(keys, [this] { return stopping(); });
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const std::string which = "entry " + std::to_string(task.missing[i]);
    if (!objects[i].ok()) {
      done.trouble = which + " cannot be fetched: " + objects[i].error().reason + ": " +
                     objects[i].error().detail;
      return;
    }
    const auto& object = objects[i].value();
    auto entry = object ? from_object(object->body) : std::nullopt;
    if (!entry || entry->chain != task.request.chain || entry->seq != task.missing[i] ||
        !proves_itself(*entry)) {
      done.refusal = which + (object ? " is in the mirror, but its object does not prove it"
                                     : " is not in the mirror");
      return;
    }
    done.entries.push_back({std::move(*entry), object->etag});
  }
}

void Restorer::prove(const Task& task, Done& done) const {
  const auto verdict = parts_.verifier.verify(
      task.request.chain, {task.request.from, task.request.to}, [this] { return !stopping(); });
  if (!verdict.ok()) {
    if (verdict.error().reason == "segment_out_of_range") {
      done.refusal = "the chain ends before the window begins";
    } else {
      done.trouble = "the window cannot be verified: " + verdict.error().reason;
    }
  } else if (verdict->divergence) {
    done.refusal = "all entries are there, and the window does not hold at " +
                   std::to_string(verdict->divergence->seq) + ": " +
                   std::string(finding_name(verdict->divergence->finding));
  } else if (verdict->to < task.request.to) {
    done.trouble = "verification was cut short at " + std::to_string(verdict->to);
  } else {
    done.proof = std::to_string(task.request.restored) + " entries were restored; " +
                 std::to_string(task.request.from) + " to " + std::to_string(task.request.to) +
                 " hold, the last with hash " + sdk::hex_encode(verdict->last_hash);
  }
}

}  // namespace plexsphere::audit
