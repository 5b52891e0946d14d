#include "app/accounts.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::signing_client {
namespace {

constexpr std::string_view kDomainScope = "domain:";

}  // namespace

sdk::AuditEntry scope_entry(const std::string& scope, std::string relation, std::string object_type,
                            std::string object_id) {
  sdk::AuditEntry entry;
  entry.subject_type = "system";
  entry.subject_id = "signing_client";
  entry.relation = std::move(relation);
  entry.object_type = std::move(object_type);
  entry.object_id = std::move(object_id);
  const auto domain = scope.starts_with(kDomainScope)
                          ? sdk::Uuid::parse(std::string_view(scope).substr(kDomainScope.size()))
                          : std::nullopt;
  if (domain) {
    entry.subject_domain_id = *domain;
    entry.in_domain(*domain);
  } else {
    entry.in_platform();
  }
  return entry;
}

JournalWatch::Before Accounts::before() const {
  const std::lock_guard guard(lock_);
  return watch_.before();
}

void Accounts::settle(const Act& act, const JournalWatch::Before& before, const JournalPlace& place,
                      std::function<void(const sdk::Status&)> then) {
  if (!place.mark) {
    if (place.lost) {
      const std::lock_guard guard(lock_);
      ++owed_.unanswered;
    }
    then({});
    return;
  }
  const sdk::Status judged = judge(before, *place.mark);
  sdk::AuditEntry entry =
      scope_entry(act.scope, act.relation, "signing-key",
                  act.key_id.empty() ? act.scope : act.scope + "#" + act.key_id);
  entry.relation_path.push_back(step_of(*place.mark));
  if (!act.refused.empty()) {
    entry.reason = PX_REASON_UNKNOWN;
    entry.relation_path.push_back("refused:" + act.refused);
  }
  Owed owed = take_owed();
  entry.relation_path.insert(entry.relation_path.end(), owed.steps.begin(), owed.steps.end());
  if (owed.unanswered > 0) {
    entry.relation_path.push_back("unanswered:" + std::to_string(owed.unanswered));
  }
  owed.steps.push_back(step_of(*place.mark));
  record(entry,
         [this, judged, owed = std::move(owed), then = std::move(then)](const sdk::Status& stored) {
           if (!stored.ok()) {
             give_back(owed);
           }
           then(judged.ok() ? stored : judged);
         });
}

void Accounts::record(const sdk::AuditEntry& entry, std::function<void(const sdk::Status&)> then) {
  {
    const std::lock_guard guard(lock_);
    ++running_;
  }
  audit_.record(entry, [this, then = std::move(then)](const sdk::Status& stored) {
    then(stored);
    const std::lock_guard guard(lock_);
    --running_;
    idle_.notify_all();
  });
}

void Accounts::wait_idle() {
  std::unique_lock guard(lock_);
  idle_.wait(guard, [this] { return running_ == 0; });
}

sdk::Status Accounts::judge(const JournalWatch::Before& before, const JournalMark& mark) {
  JournalWatch::Verdict verdict{};
  bool only_one = false;
  {
    const std::lock_guard guard(lock_);
    verdict = watch_.observe(before, mark);
    only_one = watch_.journals() == 1;
  }
  if (verdict == JournalWatch::Verdict::kForward) {
    return {};
  }
  const std::string seq = std::to_string(mark.seq);
  if (verdict == JournalWatch::Verdict::kNew) {
    // The first one after a start is nothing new; another one means another signer, or one that has
    // lost its journal.
    const sdk::Field fields[] = {{"instance", mark.instance}, {"seq", seq}};
    only_one ? log_.info("signing_journal_seen", {fields[0], fields[1]})
             : log_.warn("signing_journal_changed", {fields[0], fields[1]});
    return {};
  }
  const bool twice = verdict == JournalWatch::Verdict::kTwice;
  log_.error("signing_journal_regressed",
             {{"instance", mark.instance},
              {"seq", seq},
              {"head", mark.head},
              {"detail", twice ? "this place was given to another call"
                               : "a later place was known before this call began"}});
  return sdk::Error{sdk::Code::data_loss, "signing_journal_regressed",
                    "The signer's journal was set back, or two signers share one."};
}

// A part of what is owed, for the row that is about to be written.
Accounts::Owed Accounts::take_owed() {
  const std::lock_guard guard(lock_);
  Owed taken;
  const std::size_t count = std::min(owed_.steps.size(), kMaxOwedInRow);
  const auto end = owed_.steps.begin() + static_cast<std::ptrdiff_t>(count);
  taken.steps.assign(std::make_move_iterator(owed_.steps.begin()), std::make_move_iterator(end));
  owed_.steps.erase(owed_.steps.begin(), end);
  taken.unanswered = std::exchange(owed_.unanswered, 0);
  return taken;
}

void Accounts::give_back(Owed owed) {
  std::deque<std::string> dropped;
  {
    const std::lock_guard guard(lock_);
    owed_.unanswered += owed.unanswered;
    for (std::string& step : owed.steps) {
      owed_.steps.push_back(std::move(step));
    }
    while (owed_.steps.size() > kMaxOwed) {
      dropped.push_back(std::move(owed_.steps.front()));
      owed_.steps.pop_front();
    }
  }
  for (const std::string& step : dropped) {
    log_.error("signing_place_not_recorded", {{"place", step}});
  }
}

}  // namespace plexsphere::signing_client
