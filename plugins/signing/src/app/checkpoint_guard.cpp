#include "app/checkpoint_guard.hpp"

#include "app/sha256.hpp"
#include "domain/message_check.hpp"
#include "domain/restore_statement.hpp"

namespace plexsphere::signing {
namespace {

std::string entries(std::uint64_t size) {
  return std::to_string(size) + " entries";
}

// Why a note may not follow what was signed last; empty when it may.
std::string regress(const SeenCheckpoint& last, const CheckpointNote& note) {
  if (last.epoch != 0 && note.epoch != last.epoch) {
    return "epoch " + std::to_string(note.epoch) + ", and the present one is " +
           std::to_string(last.epoch);
  }
  if (note.size < last.size) {
    return "size " + std::to_string(note.size);
  }
  const bool other = note.size == last.size && !last.root.empty() && note.root != last.root;
  return other ? "another root" : "";
}

}  // namespace

Outcome<SeenCheckpoint> CheckpointGuard::last(const Scope& scope) {
  const std::lock_guard guard(lock_);
  return last_locked(scope);
}

Outcome<SeenCheckpoint> CheckpointGuard::last_locked(const Scope& scope) {
  if (const auto found = seen_.find(scope.text()); found != seen_.end()) {
    return found->second;
  }
  const Outcome<std::optional<SeenCheckpoint>> stored = memory_.recall_checkpoint(scope);
  if (!stored.ok()) {
    return stored.fault();
  }
  if (stored.value()) {
    return *stored.value();
  }
  if (!adopt_) {
    return Fault{FaultKind::kCheckpointUnseen,
                 "this instance remembers no checkpoint of " + scope.text() +
                     "; if its state was lost or it is a new replica, set adopt = true"};
  }
  SeenCheckpoint nothing;
  nothing.epoch = 0;
  return nothing;
}

Outcome<Done> CheckpointGuard::keep_locked(const Scope& scope, const SeenCheckpoint& seen) {
  if (const Outcome<Done> kept = memory_.remember_checkpoint(scope, seen); !kept.ok()) {
    return kept;
  }
  seen_.insert_or_assign(scope.text(), seen);
  return Done{};
}

Outcome<Done> CheckpointGuard::advance(const Scope& scope,
                                       const std::vector<std::string_view>& notes) {
  const std::lock_guard guard(lock_);
  const Outcome<SeenCheckpoint> known = last_locked(scope);
  if (!known.ok()) {
    return known.fault();
  }
  SeenCheckpoint last = known.value();
  for (const std::string_view text : notes) {
    const Outcome<CheckpointNote> note = check_checkpoint(text);
    if (!note.ok()) {
      return note.fault();
    }
    if (const std::string wrong = regress(last, note.value()); !wrong.empty()) {
      return Fault{FaultKind::kCheckpointRegressed,
                   "a checkpoint of size " + std::to_string(last.size) + " of " + scope.text() +
                       " was signed before, and this one has " + wrong};
    }
    last.size = note.value().size;
    last.root = note.value().root;
    last.epoch = note.value().epoch;
  }
  if (known.value().epoch == 0) {
    notice_("signing_checkpoint_adopted", "a checkpoint of " + entries(last.size) + " of " +
                                              scope.text() + " is taken without another before it");
  }
  return last == known.value() ? Outcome<Done>(Done{}) : keep_locked(scope, last);
}

Outcome<Done> CheckpointGuard::restore(const Scope& scope, std::string_view text) {
  const Outcome<RestoreStatement> read = check_restore(text);
  if (!read.ok()) {
    return read.fault();
  }
  const RestoreStatement& statement = read.value();
  const std::string digest = hex_of(sha256(text));
  const std::lock_guard guard(lock_);
  const Outcome<SeenCheckpoint> known = last_locked(scope);
  if (!known.ok()) {
    return known.fault();
  }
  const SeenCheckpoint& last = known.value();
  if (last.epoch == statement.epoch && last.restore == digest) {
    return Done{};  // an answer may have been lost
  }
  if (statement.epoch != last.epoch + 1 ||
      statement.before != TreeHead{last.size, std::string_view(last.root)}) {
    return Fault{FaultKind::kCheckpointRegressed, "the last checkpoint signed of " + scope.text() +
                                                      " has size " + std::to_string(last.size) +
                                                      " in epoch " + std::to_string(last.epoch) +
                                                      ", and the statement names another"};
  }
  const Outcome<std::optional<std::string>> permit = memory_.restore_permit(scope);
  if (!permit.ok() || permit.value() != text) {
    return permit.ok() ? Fault{FaultKind::kRestoreNotPermitted,
                               "this signer's operator has not permitted this statement about " +
                                   scope.text() + "; see plexsphere-signer-permit"}
                       : permit.fault();
  }
  // The words first: whoever finds the epoch finds what began it.
  if (const Outcome<Done> kept = memory_.keep_restore(scope, statement.epoch, text); !kept.ok()) {
    return kept;
  }
  notice_("signing_restore_declared",
          scope.text() + " goes on from " + entries(statement.after.size) + " instead of " +
              entries(statement.before.size) + " in epoch " + std::to_string(statement.epoch) +
              ": " + std::string(statement.reason));
  return keep_locked(
      scope, {statement.after.size, std::string(statement.after.root), statement.epoch, digest});
}

Outcome<Done> CheckpointGuard::begin(const Scope& scope) {
  const std::lock_guard guard(lock_);
  const Outcome<std::optional<SeenCheckpoint>> stored = memory_.recall_checkpoint(scope);
  if (!stored.ok() || stored.value()) {
    return stored.ok() ? Outcome<Done>(Done{}) : Outcome<Done>(stored.fault());
  }
  return memory_.remember_checkpoint(scope, SeenCheckpoint{});
}

}  // namespace plexsphere::signing
