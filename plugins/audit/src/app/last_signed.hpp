// Whether a chain still is what the signer signed last of it. The signer's memory is neither in the
// database nor in this process, so it tells of a database that was set back, its checkpoints with
// it, while nobody ran.
//
// The signer is asked once a chain, and again after anything went wrong or a restore was declared.
// One thread; blocks on the database and the signer.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "app/chain_tree.hpp"
#include "app/note_signer.hpp"
#include "domain/chain_walk.hpp"
#include "store/epoch_store.hpp"

namespace plexsphere::audit {

class LastSigned {
 public:
  LastSigned(const CheckpointStore& checkpoints, EpochStore epochs, NoteSigner& signer)
      : tree_(checkpoints), epochs_(std::move(epochs)), signer_(signer) {}

  // Before the chain is looked at: asks the signer where that is due. Errors as of NoteSigner.
  sdk::Status ask(const sdk::Uuid& chain, const std::function<bool()>& should_stop);
  // After `ask`, of a chain of `size` entries whose tree is kept: the epoch in which its next
  // checkpoint is, or how it differs from what was signed.
  struct Standing {
    std::int64_t epoch = 1;
    std::optional<Divergence> divergence;
  };
  sdk::Result<Standing> compare(const sdk::Uuid& chain, std::int64_t size);
  void forget(const sdk::Uuid& chain) { known_.erase(chain); }

  // The epoch that the database knows.
  sdk::Result<std::int64_t> epoch_of(const sdk::Uuid& chain) const;

 private:
  struct Known {
    sdk::LastCheckpoint last;
    std::int64_t epoch = 1;  // of the database, when the signer was asked
    bool held = false;       // the chain was found to be that
  };
  sdk::Result<std::optional<Divergence>> differs(const sdk::Uuid& chain, const Known& known,
                                                 std::int64_t size) const;

  const ChainTree tree_;
  const EpochStore epochs_;
  NoteSigner& signer_;
  std::map<sdk::Uuid, Known> known_;
};

}  // namespace plexsphere::audit
