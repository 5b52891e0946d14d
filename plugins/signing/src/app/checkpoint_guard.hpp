// Keeps a log from being shown shorter or forked: what was signed last in each scope, and what may
// be signed after it.
//
// The checkpoints of a scope never get smaller and none of a size gets another root, within an
// epoch. A restore that the signer's operator has permitted, word for word, begins the next epoch
// at an earlier checkpoint. Everything is remembered durably before the signature is made.
//
// Thread safety: any thread. Ownership: the memory is the caller's and outlives it.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/key_set_memory.hpp"

namespace plexsphere::signing {

class CheckpointGuard {
 public:
  using Notice = std::function<void(std::string_view event, std::string_view text)>;

  // `adopt`: whether a scope of which nothing is remembered is believed.
  CheckpointGuard(KeySetMemory& memory, bool adopt, Notice notice)
      : memory_(memory), adopt_(adopt), notice_(std::move(notice)) {}

  // Remembers the last of the notes, unless one of them goes back behind what was signed before.
  [[nodiscard]] Outcome<Done> advance(const Scope& scope,
                                      const std::vector<std::string_view>& notes);
  // Begins the epoch of the statement. Repeating the last one changes nothing.
  [[nodiscard]] Outcome<Done> restore(const Scope& scope, std::string_view statement);
  // What was signed last; epoch 0 where nothing is remembered and the next is believed.
  [[nodiscard]] Outcome<SeenCheckpoint> last(const Scope& scope);
  // A scope whose first key is made here has had no checkpoint before.
  [[nodiscard]] Outcome<Done> begin(const Scope& scope);

 private:
  [[nodiscard]] Outcome<SeenCheckpoint> last_locked(const Scope& scope);
  [[nodiscard]] Outcome<Done> keep_locked(const Scope& scope, const SeenCheckpoint& seen);

  KeySetMemory& memory_;
  const bool adopt_;
  const Notice notice_;
  std::mutex lock_;
  // Guarded by lock_; what memory_ holds, read once.
  std::unordered_map<std::string, SeenCheckpoint> seen_;
};

}  // namespace plexsphere::signing
