// CreateDomain: first the Domain's signing key, then one transaction for everything else.
//
// The signer is asked outside any transaction (it is slow and may be away), and before it: a Domain
// without a key could enrol nobody. A key whose Domain is then refused stays behind unused under an
// id that nobody will have; obvious conflicts are therefore refused before the signer is asked.
#pragma once

#include <functional>

#include "app/caller.hpp"
#include "app/services.hpp"

namespace plexsphere::tenancy {

class CreateDomain {
 public:
  using Done = std::function<void(const sdk::Result<DomainRow>&)>;

  // [init] `services` must outlive this.
  explicit CreateDomain(Services& services) : services_(services) {}

  // `draft` has everything but id and times. `done` runs once, on this or any thread. Errors:
  // ALREADY_EXISTS "domain_slug_conflict", "mesh_cidr_overlap"; UNAVAILABLE "signing_unavailable";
  // those of the store. [worker]
  void run(const Caller& caller, DomainRow draft, Done done);

  // Waits until no signer's completion is outstanding; false past the deadline. [worker]
  bool wait_idle(std::chrono::steady_clock::time_point deadline);

 private:
  struct Job;

  void keyed(const std::shared_ptr<Job>& job, const sdk::Result<sdk::PublicKey>& key);
  sdk::Result<DomainRow> commit(const Caller& caller, DomainRow row);

  Services& services_;
  std::mutex mutex_;  // guards outstanding_
  std::condition_variable idle_;
  int outstanding_ = 0;
};

}  // namespace plexsphere::tenancy
