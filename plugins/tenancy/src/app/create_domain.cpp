#include "app/create_domain.hpp"

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

namespace plexsphere::tenancy {
namespace {

using sdk::Code;
using sdk::Error;

Error signer_away() {
  return {Code::unavailable, "signing_unavailable", "The signer gave the Domain no key."};
}

sdk::Event created(const DomainRow& row, const std::string& correlation_id) {
  const nlohmann::json payload{
      {"id", row.id.text()}, {"slug", row.slug}, {"name", row.name}, {"mesh_cidr", row.mesh_cidr}};
  return {{}, row.id, "DomainCreated", "domain", row.id, payload.dump(), correlation_id};
}

std::array<sdk::Tuple, 2> tuples_of(const DomainRow& row, const sdk::Reference& creator) {
  const sdk::Reference domain{"domain", row.id.text(), {}};
  return {sdk::Tuple{domain, "parent", {"platform", "plexsphere", {}}},
          sdk::Tuple{domain, "owner", creator}};
}

}  // namespace

// Kept alive by whichever completion comes next.
struct CreateDomain::Job {
  Caller caller;
  DomainRow row;
  Done done;
};

void CreateDomain::run(const Caller& caller, DomainRow draft, Done done) {
  if (auto clear = services_.domains.foresee_conflict(draft.slug, draft.mesh_cidr); !clear.ok()) {
    done(clear.error());
    return;
  }
  draft.id = sdk::Uuid::v7(sdk::to_ms(services_.clock.now()));
  auto job = std::make_shared<Job>(Job{caller, std::move(draft), std::move(done)});
  const std::string scope = "domain:" + job->row.id.text();
  {
    const std::lock_guard lock(mutex_);
    ++outstanding_;
  }
  services_.signing.open_rotation(
      scope, [this, job](const sdk::Result<sdk::PublicKey>& key) { keyed(job, key); });
}

void CreateDomain::keyed(const std::shared_ptr<Job>& job, const sdk::Result<sdk::PublicKey>& key) {
  if (!key.ok()) {
    services_.log.warn("tenancy.domain_key_failed",
                       {{"domain_id", job->row.id.text()}, {"reason", key.error().reason}});
    job->done(signer_away());
  } else if (!services_.executor.post([this, job] { job->done(commit(job->caller, job->row)); })) {
    job->done(Error{Code::unavailable, "draining", "No thread takes the work now."});
  }
  const std::lock_guard lock(mutex_);
  --outstanding_;
  idle_.notify_all();
}

sdk::Result<DomainRow> CreateDomain::commit(const Caller& caller, DomainRow row) {
  const bool has_deadline = caller.deadline_steady_ns != 0;
  if (has_deadline && services_.clock.steady().count() >= caller.deadline_steady_ns) {
    // The host has told the caller so already; nothing may happen behind its back.
    return Error{Code::deadline_exceeded, "deadline", "The request's time ran out."};
  }
  return with_retries([&]() -> sdk::Result<DomainRow> {
    auto tx = services_.store.begin();
    if (!tx.ok()) {
      return tx.error();
    }
    if (auto done = services_.domains.insert(*tx, row); !done.ok()) {
      return done.error();
    }
    if (auto done = services_.authz.write(*tx, tuples_of(row, caller.reference)); !done.ok()) {
      return done.error();
    }
    if (auto done = services_.outbox.append(*tx, created(row, caller.correlation_id)); !done.ok()) {
      return done.error();
    }
    const auto entry = caller.did("domain.create", "domain", row.id, row.id);
    if (auto done = services_.audit.stage(*tx, entry); !done.ok()) {
      return done.error();
    }
    if (auto done = tx->commit(); !done.ok()) {
      return done.error();
    }
    return row;
  });
}

bool CreateDomain::wait_idle(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline, [&] { return outstanding_ == 0; });
}

}  // namespace plexsphere::tenancy
