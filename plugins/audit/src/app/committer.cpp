#include "app/committer.hpp"

#include <exception>
#include <utility>

#include "plexsphere/sdk/failpoint.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Status;

// Failures that say something about the database's state and nothing about the entries.
bool is_outage(Code code) {
  switch (code) {
    case Code::unavailable:
    case Code::unknown:
    case Code::resource_exhausted:
    case Code::deadline_exceeded:
    case Code::cancelled:
      return true;
    default:
      return false;
  }
}

// Nothing thrown may end a thread of ours.
template <typename Work>
auto contained(Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& e) {
    return Error{Code::internal, "exception", e.what()};
  } catch (...) {
    return Error{Code::internal, "exception", "unknown"};
  }
}

}  // namespace

Committer::Committer(CommitterWork work, sdk::Log log, sdk::Metric rows, sdk::Metric batches)
    : work_(std::move(work)), log_(log), rows_(rows), batches_(batches) {}

void Committer::start() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
    committed_ = false;
  }
  preparer_ = std::thread([this] { prepare_loop(); });
  committer_ = std::thread([this] { commit_loop(); });
  answerer_ = std::thread([this] { answer_loop(); });
}

Status Committer::drain(std::chrono::milliseconds deadline) {
  std::unique_lock lock(mutex_);
  if (drained_.wait_for(lock, deadline, [&] { return waiting_ == 0; })) {
    return {};
  }
  return Error{Code::deadline_exceeded, "audit_not_drained",
               std::to_string(waiting_) + " audit entries were not written in time."};
}

void Committer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  to_prepare_.notify_all();
  to_commit_.notify_all();
  for (std::thread* thread : {&preparer_, &committer_}) {
    if (thread->joinable()) {
      thread->join();
    }
  }
  {
    const std::lock_guard lock(mutex_);
    committed_ = true;
  }
  to_answer_.notify_all();
  if (answerer_.joinable()) {
    answerer_.join();
  }
  std::vector<Item> left;
  {
    const std::lock_guard lock(mutex_);
    for (std::deque<Item>* queue : {&unprepared_, &ready_}) {
      for (Item& item : *queue) {
        left.push_back(std::move(item));
      }
      queue->clear();
    }
  }
  answer(left, Error{Code::cancelled, "audit_stopped", "The audit log has stopped."});
}

void Committer::submit(Entry entry, px_audit_done done, void* ctx) {
  auto item = std::make_unique<Waiting>(Waiting{std::move(entry), {}, done, ctx});
  auto rows = work_.prepare_quickly(item->entry);
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_ < kMostWaiting) {
      ++waiting_;
      if (rows) {
        item->rows = std::move(*rows);
      }
      (rows ? ready_ : unprepared_).push_back(std::move(item));
    }
  }
  if (item == nullptr) {
    (rows ? to_commit_ : to_prepare_).notify_one();
    return;
  }
  const bool stopped = [&] {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }();
  tell(done, ctx,
       stopped ? Error{Code::cancelled, "audit_stopped", "The audit log has stopped."}
               : Error{Code::resource_exhausted, "audit_queue_full",
                       "Too many audit entries wait to be written."});
}

void Committer::prepare_loop() {
  for (;;) {
    Item item;
    {
      std::unique_lock lock(mutex_);
      to_prepare_.wait(lock, [&] { return stopping_ || !unprepared_.empty(); });
      if (stopping_) {
        return;
      }
      item = std::move(unprepared_.front());
      unprepared_.pop_front();
    }
    auto rows = contained([&] { return work_.prepare(item->entry); });
    if (!rows.ok()) {
      std::vector<Item> one;
      one.push_back(std::move(item));
      answer(one, failed(rows.error()));
      continue;
    }
    item->rows = std::move(*rows);
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(item));
    }
    to_commit_.notify_one();
  }
}

void Committer::commit_loop() {
  for (;;) {
    std::vector<Item> batch;
    {
      std::unique_lock lock(mutex_);
      to_commit_.wait(lock, [&] { return stopping_ || !ready_.empty(); });
      if (stopping_) {
        return;
      }
      while (!ready_.empty() && batch.size() < kBatch) {
        batch.push_back(std::move(ready_.front()));
        ready_.pop_front();
      }
    }
    PLEXSPHERE_FAILPOINT("append.batch");
    commit(std::move(batch));
  }
}

void Committer::commit(std::vector<Item> batch) {
  Status outcome = append(batch);
  if (!outcome.ok() && outcome.error().code == Code::aborted) {
    outcome = append(batch);  // lost a race; nothing was written
  }
  const bool blames_an_entry =
      !outcome.ok() && !is_outage(outcome.error().code) && outcome.error().code != Code::aborted;
  if (blames_an_entry && batch.size() > 1) {
    for (Item& item : batch) {  // one by one, so that only the culprit is refused
      std::vector<Item> one;
      one.push_back(std::move(item));
      commit(std::move(one));
    }
    return;
  }
  answer_later(std::move(batch), outcome.ok() ? outcome : Status(failed(outcome.error())));
}

void Committer::answer_later(std::vector<Item> batch, Status outcome) {
  {
    const std::lock_guard lock(mutex_);
    outcomes_.push_back({std::move(batch), std::move(outcome)});
  }
  to_answer_.notify_one();
}

void Committer::answer_loop() {
  for (;;) {
    Outcome next;
    {
      std::unique_lock lock(mutex_);
      to_answer_.wait(lock, [&] { return committed_ || !outcomes_.empty(); });
      if (outcomes_.empty()) {
        return;
      }
      next = std::move(outcomes_.front());
      outcomes_.pop_front();
    }
    answer(next.batch, next.status);
  }
}

Status Committer::append(const std::vector<Item>& batch) {
  std::vector<const Row*> rows;
  for (const Item& item : batch) {
    for (const Row& row : item->rows) {
      rows.push_back(&row);
    }
  }
  if (rows.empty()) {
    return {};  // refusals that are counted instead
  }
  const auto count = static_cast<double>(rows.size());
  Status outcome = contained([&] { return work_.append(std::move(rows)); });
  if (outcome.ok()) {
    rows_.add(count);
    batches_.add();
  }
  return outcome;
}

void Committer::answer(const std::vector<Item>& batch, const Status& outcome) {
  if (batch.empty()) {
    return;
  }
  for (const Item& item : batch) {
    tell(item->done, item->ctx, outcome);
    PLEXSPHERE_FAILPOINT("append.answering");  // some of the batch know, the others do not
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_ -= batch.size();
  }
  drained_.notify_all();
}

void Committer::tell(px_audit_done done, void* ctx, const Status& outcome) {
  if (outcome.ok()) {
    done(ctx, PX_OK, {});
    return;
  }
  done(ctx, static_cast<px_status>(outcome.error().code), sdk::to_wire(outcome.error().reason));
}

Error Committer::failed(const Error& cause) const {
  const bool unresolved = cause.reason == "domain_unresolved";
  log_.error(unresolved ? "audit.unresolved" : "audit.append_failed",
             {{"reason", cause.reason}, {"detail", cause.detail}});
  if (unresolved) {
    return cause;
  }
  return {Code::unavailable, "audit_unavailable", cause.detail};
}

}  // namespace plexsphere::audit
