// Group commit of decisions that belong to no change: each waits for its row to be durable, and one
// thread writes all that wait in one transaction, whatever their chains. Nothing delays a batch on
// purpose: while one commits, the next fills.
//
// An entry whose chains and pseudonyms are in memory goes straight to the batch; another is
// prepared (resolver, pepper) by a second thread first, so that a slow look-up holds up nobody but
// those who need one.
//
// Whoever waited for a batch is answered by a third thread, so that the next batch commits while
// they go on.
//
// Thread safety: any thread. Invariant: every accepted entry's `done` is called exactly once, also
// when the process stops; it must not block, because others wait for their answers behind it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "app/entry.hpp"
#include "plexsphere/abi/ports/audit.h"
#include "plexsphere/sdk/services.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::audit {

// What the committer needs done; each from its own threads.
struct CommitterWork {
  // Rows of an entry if that takes no look-up. None at all: there is nothing to wait for.
  std::function<std::optional<std::vector<Row>>(const Entry&)> prepare_quickly;
  // The same with look-ups; blocks.
  std::function<sdk::Result<std::vector<Row>>(const Entry&)> prepare;
  // Appends the rows in one transaction; blocks until they are durable.
  std::function<sdk::Status(std::vector<const Row*>)> append;
};

class Committer {
 public:
  static constexpr std::size_t kMostWaiting = 8'192;  // entries accepted and not answered yet
  static constexpr std::size_t kBatch = 512;          // entries in one transaction

  Committer(CommitterWork work, sdk::Log log, sdk::Metric rows, sdk::Metric batches);
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;
  ~Committer() { stop(); }

  void start();
  // Returns when nothing waits any more, or with DEADLINE_EXCEEDED.
  sdk::Status drain(std::chrono::milliseconds deadline);
  // Ends the threads; what still waits is answered CANCELLED "audit_stopped".
  void stop();

  // Answers through `done`, perhaps before it returns: RESOURCE_EXHAUSTED "audit_queue_full" at
  // the limit, CANCELLED "audit_stopped", FAILED_PRECONDITION "domain_unresolved", UNAVAILABLE
  // "audit_unavailable". Does not block.
  void submit(Entry entry, px_audit_done done, void* ctx);

 private:
  struct Waiting {
    Entry entry;
    std::vector<Row> rows;
    px_audit_done done;
    void* ctx;
  };
  using Item = std::unique_ptr<Waiting>;
  struct Outcome {
    std::vector<Item> batch;
    sdk::Status status;
  };

  void prepare_loop();
  void commit_loop();
  void answer_loop();
  void commit(std::vector<Item> batch);
  sdk::Status append(const std::vector<Item>& batch);
  void answer_later(std::vector<Item> batch, sdk::Status outcome);
  void answer(const std::vector<Item>& batch, const sdk::Status& outcome);
  static void tell(px_audit_done done, void* ctx, const sdk::Status& outcome);
  sdk::Error failed(const sdk::Error& cause) const;

  const CommitterWork work_;
  const sdk::Log log_;
  const sdk::Metric rows_;
  const sdk::Metric batches_;

  std::mutex mutex_;
  // Each wakes only who has something to do: the others would be woken for every entry.
  std::condition_variable to_prepare_;
  std::condition_variable to_commit_;
  std::condition_variable to_answer_;
  std::condition_variable drained_;
  std::deque<Item> unprepared_;  // these six under mutex_
  std::deque<Item> ready_;
  std::deque<Outcome> outcomes_;
  std::size_t waiting_ = 0;
  bool stopping_ = true;    // until start
  bool committed_ = false;  // no further outcome comes
  std::thread preparer_;
  std::thread committer_;
  std::thread answerer_;
};

}  // namespace plexsphere::audit
