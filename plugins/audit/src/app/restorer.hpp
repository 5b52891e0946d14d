// Brings a dropped window of a chain back from the mirror and proves it.
//
// Who asks is the database's administrator (plexsphere-bootstrap audit restore); the leader does
// it, from the window's end to its beginning, so that every entry is vouched for by the one after
// it, which the chain still has, or its head. Only missing entries are brought, and nothing that is
// stored is changed. In the end the window is verified, the request closed, and an entry
// audit.restore appended to the chain, in one transaction.
//
// What stands beside entries is not in the mirror and does not come back.
//
// Thread safety: run from the job, the rest from any thread; start and stop from one. Owns its
// thread, which alone talks to the store.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/mirror.hpp"
#include "app/peppers.hpp"
#include "app/verifier.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "store/restore_store.hpp"

namespace plexsphere::audit {

class Restorer {
 public:
  static constexpr std::int64_t kBatch = 64;

  struct Parts {
    RestoreStore requests;
    AuditStore chains;
    const Verifier& verifier;
    Peppers& peppers;
    sdk::Egress egress;
    sdk::Clock clock;
    sdk::Log log;
    ArchiveSettings settings;
    std::function<void()> wake;  // asks for a run of the job
  };

  explicit Restorer(Parts parts);
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;
  ~Restorer() { stop(); }

  void start();
  void stop();
  // One turn of the leader. Never waits for the store.
  sdk::Status run(const sdk::JobRun& run);

 private:
  struct Task {
    RestoreRequest request;
    std::vector<std::int64_t> missing;  // empty: all is there, prove it
  };
  struct Done {
    RestoreRequest request;
    std::vector<BroughtEntry> entries;
    std::string proof;    // not empty: the window holds
    std::string refusal;  // not empty: it cannot be restored
    std::string trouble;  // not empty: not now
  };

  sdk::Status take(const sdk::JobRun& run, const Done& done);
  sdk::Status pick();
  sdk::Status close(const sdk::JobRun& run, const RestoreRequest& request, std::string_view how,
                    const std::string& detail);
  sdk::Result<Row> own_row(const RestoreRequest& request, std::string_view how) const;
  void work();
  void bring(const Task& task, Done& done) const;
  void prove(const Task& task, Done& done) const;
  bool stopping() const;

  const Parts parts_;
  const Mirror mirror_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = true;  // these under mutex_
  bool working_ = false;
  std::optional<Task> next_;
  std::optional<Done> done_;
  std::thread thread_;
};

}  // namespace plexsphere::audit
