#include "app/restore_declarer.hpp"

#include <algorithm>

#include "app/digest.hpp"
#include "plexsphere/sdk/encoding.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Error;
using sdk::Result;
using sdk::Status;
using sdk::Uuid;

constexpr const char* kAwaited = "waits for the signer's operator to permit the statement";

std::string entries(std::uint64_t count) {
  return std::to_string(count) + " entries";
}

}  // namespace

Status RestoreDeclarer::run(const sdk::JobRun& job) {
  const auto request = parts_.epochs.open_request();
  if (!request.ok() || !request.value()) {
    return request.ok() ? Status() : Status(request.error());
  }
  if (parts_.clock.steady() < rests_until_) {
    return {};
  }
  return request.value()->statement.empty() ? draft(job, *request.value())
                                            : declare(job, *request.value());
}

// --- the statement -------------------------------------------------------------------------------

Status RestoreDeclarer::draft(const sdk::JobRun& job, const EpochRequest& request) {
  const auto last = parts_.signer.last(request.chain, [&job] { return job.should_stop(); });
  if (!last.ok()) {
    return wait(job, request,
                "the signer cannot be asked what it signed last: " + last.error().reason);
  }
  const auto drafted = statement_about(request, *last);
  if (!drafted.ok()) {
    return drafted.error();
  }
  if (!drafted->refusal.empty()) {
    return refuse(job, request, drafted->refusal);
  }
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto kept = parts_.epochs.draft(*tx, request, drafted->statement); !kept.ok()) {
    return kept;
  }
  rest_ = kFirstRest;
  return tx->commit();
}

Result<RestoreDeclarer::Drafted> RestoreDeclarer::statement_about(
    const EpochRequest& request, const sdk::LastCheckpoint& last) const {
  const auto from = goes_on_from(request.chain);
  const auto epoch = parts_.epochs.newest(request.chain);
  const auto now = tree_.root(request.chain, static_cast<std::int64_t>(last.size));
  for (const Error* fault :
       {from.ok() ? nullptr : &from.error(), epoch.ok() ? nullptr : &epoch.error(),
        now.ok() ? nullptr : &now.error()}) {
    if (fault != nullptr) {
      return *fault;
    }
  }
  const auto& [after, broken] = *from;
  const auto size = static_cast<std::uint64_t>(after.size);
  if (!broken.empty()) {
    return Drafted{{}, broken};
  }
  if (last.epoch == 0 || last.root.empty()) {
    return Drafted{{}, "the signer remembers no checkpoint of the chain: nothing of it was lost"};
  }
  if (now.value() == last.root && last.epoch == static_cast<std::uint64_t>(epoch->epoch)) {
    return Drafted{{},
                   "nothing was lost: the signer's last checkpoint is of " + entries(last.size) +
                       ", and they are there"};
  }
  if (size > last.size || (size == last.size && after.root != last.root)) {
    return Drafted{{},
                   "the chain has a checkpoint of " + entries(size) +
                       ", and the last that the signer signed is another, of " +
                       entries(last.size) + ": that is no restore"};
  }
  const auto now_seconds =
      std::chrono::duration_cast<std::chrono::seconds>(parts_.clock.now().time_since_epoch());
  return Drafted{sdk::restore_text({sdk::checkpoint::origin_of(scope_of(request.chain)),
                                    last.epoch + 1,
                                    {last.size, last.root},
                                    {size, after.root},
                                    static_cast<std::uint64_t>(now_seconds.count()),
                                    request.reason}),
                 {}};
}

Result<std::pair<TreeHead, std::string>> RestoreDeclarer::goes_on_from(const Uuid& chain) const {
  using From = std::pair<TreeHead, std::string>;
  const auto newest = parts_.checkpoints.find(chain, std::nullopt);
  if (!newest.ok()) {
    return newest.error();
  }
  if (!newest.value()) {
    return From{{0, sha256({})}, {}};
  }
  const StoredCheckpoint& checkpoint = *newest.value();
  const auto root = tree_.root(chain, checkpoint.size);
  if (!root.ok()) {
    return root.error();
  }
  const bool sound = root.value() == checkpoint.root && holds(chain, checkpoint);
  return From{{checkpoint.size, checkpoint.root},
              sound ? std::string()
                    : "the chain is not that of its own newest checkpoint, of " +
                          entries(static_cast<std::uint64_t>(checkpoint.size)) +
                          ": that is no restore"};
}

// --- its signature -------------------------------------------------------------------------------

Status RestoreDeclarer::declare(const sdk::JobRun& job, const EpochRequest& request) {
  const auto statement = sdk::parse_restore(request.statement);
  if (!statement) {
    return refuse(job, request, "the request's statement is none");
  }
  const auto answer = parts_.signer.sign_restore(request.chain, request.statement,
                                                 [&job] { return job.should_stop(); });
  if (answer.ok()) {
    return keep(job, request, *answer, *statement);
  }
  if (answer.error().reason == "checkpoint_regressed") {
    return refuse(job, request,
                  "the signer has signed another checkpoint last than the statement "
                  "names; ask again");
  }
  return wait(job, request,
              answer.error().reason == "restore_not_permitted"
                  ? kAwaited
                  : "the signer did not sign: " + answer.error().reason);
}

Status RestoreDeclarer::keep(const sdk::JobRun& job, const EpochRequest& request,
                             const SignedText& signed_text,
                             const sdk::RestoreStatement& statement) const {
  const auto row = own_row(request, statement);
  if (!row.ok()) {
    return row.error();
  }
  const StoredEpoch epoch{static_cast<std::int64_t>(statement.epoch),
                          static_cast<std::int64_t>(statement.before.size),
                          static_cast<std::int64_t>(statement.after.size),
                          signed_text.note,
                          signed_text.key.key_id,
                          signed_text.key.key,
                          {}};
  if (!statement_of(request.chain, epoch)) {
    return refuse(job, request, "the request's statement is about another chain");
  }
  const std::string said = "epoch " + std::to_string(epoch.epoch) + ": " +
                           entries(statement.before.size) + " were signed before, and the chain " +
                           "goes on from " + entries(statement.after.size);
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto appended = parts_.store.append(*tx, {&row.value()}); !appended.ok()) {
    return appended;
  }
  if (auto added = parts_.epochs.add(*tx, request.chain, epoch); !added.ok()) {
    return added;
  }
  if (auto ended = parts_.epochs.end(*tx, request, "declared", said); !ended.ok()) {
    return ended;
  }
  if (auto committed = tx->commit(); !committed.ok()) {
    return committed;
  }
  parts_.log.error("audit.restore_declared", {{"chain", request.chain.text()},
                                              {"request", request.id.text()},
                                              {"requested_by", request.requested_by},
                                              {"reason", request.reason},
                                              {"detail", said}});
  return {};
}

Result<Row> RestoreDeclarer::own_row(const EpochRequest& request,
                                     const sdk::RestoreStatement& statement) const {
  const auto step = [](const char* name, const sdk::TreeHead& head) {
    return name + (":" + std::to_string(head.size)) + ":" + sdk::hex_encode(head.root);
  };
  return audit::own_row(request.chain,
                        {"audit.declare_restores",
                         "audit.restored",
                         "audit_epoch",
                         std::to_string(statement.epoch),
                         request.id.text(),
                         {step("before", statement.before), step("after", statement.after),
                          "statement:" + sdk::hex_encode(sha256(request.statement)),
                          "reason:" + statement.reason, "requested_by:" + request.requested_by}},
                        parts_.clock.now(), parts_.peppers);
}

Status RestoreDeclarer::refuse(const sdk::JobRun& job, const EpochRequest& request,
                               const std::string& why) const {
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto ended = parts_.epochs.end(*tx, request, "refused", why); !ended.ok()) {
    return ended;
  }
  parts_.log.warn(
      "audit.restore_not_declared",
      {{"chain", request.chain.text()}, {"request", request.id.text()}, {"detail", why}});
  return tx->commit();
}

Status RestoreDeclarer::wait(const sdk::JobRun& job, const EpochRequest& request,
                             const std::string& why) {
  rests_until_ = parts_.clock.steady() + rest_;
  rest_ = std::min(rest_ * 2, kLongestRest);
  auto tx = job.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto told = parts_.epochs.tell(*tx, request, why); !told.ok()) {
    return told;
  }
  return tx->commit();
}

}  // namespace plexsphere::audit
