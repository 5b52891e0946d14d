// Periodic work that exactly one replica does at a time, fenced by its database session.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "plexsphere/abi/jobs.h"
#include "plexsphere/sdk/kept.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::sdk::inline v1 {

// Valid while the run lasts.
class JobRun {
 public:
  JobRun(const px_job_run* wire, const px_store* store) : wire_(wire), store_(store) {}

  // On the leader's session: commits only while the lease is held.
  Result<Transaction> begin() const {
    px_tx* tx = nullptr;
    ErrorSink sink;
    const px_status s = wire_->begin(wire_->self, &tx, sink.wire());
    return s == PX_OK ? Result<Transaction>(Transaction::own(store_, tx))
                      : std::move(sink).error(s);
  }
  bool should_stop() const { return wire_->should_stop(wire_->self) != 0; }

 private:
  const px_job_run* wire_;
  const px_store* store_;
};

class Jobs {
 public:
  static constexpr std::string_view kName = "px.jobs/1";
  using Wire = px_jobs;
  using Run = std::function<Status(const JobRun&)>;
  Jobs() = default;
  explicit Jobs(const px_jobs* table) : table_(table) {}

  // [init] The job lives until the process ends.
  Status add(std::string_view name, std::chrono::milliseconds period, const px_store* store,
             Run run) const {
    struct Kept {
      Run run;
      const px_store* store;
    };
    auto* kept = detail::keep(Kept{std::move(run), store});
    const px_job wire{sizeof(px_job), static_cast<uint32_t>(period.count()), to_wire(name), kept,
                      [](void* ctx, const px_job_run* job_run, px_error* err) noexcept {
                        auto* job = static_cast<Kept*>(ctx);
                        return guard(err, [&] { return job->run(JobRun(job_run, job->store)); });
                      }};
    ErrorSink sink;
    return std::move(sink).outcome(table_->register_job(table_->base.self, &wire, sink.wire()));
  }
  void wake(std::string_view name) const { table_->wake(table_->base.self, to_wire(name)); }

 private:
  const px_jobs* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
