// What auditors verify a chain with: signed notes, the newest, one by its size, or all; Merkle
// proofs against them; and the bare records, page by page, which is what an export is made of.
// Extensions of the contract, of a Domain's chain and of the platform's.
//
// Thread-safe after construction. Everything handed in must live until the process ends.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <variant>

#include "app/chain_tree.hpp"
#include "http/chain_router.hpp"
#include "http/render.hpp"
#include "plexsphere/sdk/cursor.hpp"
#include "store/audit_store.hpp"
#include "store/checkpoint_store.hpp"
#include "store/epoch_store.hpp"

namespace plexsphere::audit {

class CheckpointRoutes {
 public:
  CheckpointRoutes(AuditStore store, CheckpointStore checkpoints, EpochStore epochs,
                   const ChainRouter& chains)
      : store_(std::move(store)),
        checkpoints_(std::move(checkpoints)),
        epochs_(std::move(epochs)),
        tree_(checkpoints_),
        chains_(chains) {}

  // [init]
  sdk::Status add_to(const sdk::Router& router);
  // Before the first request: until then every cursor is refused.
  void use_cursors(sdk::CursorCodec cursors) { cursors_ = std::move(cursors); }

 private:
  sdk::Answer note(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer list(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer records(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer inclusion(const sdk::Request& request, const sdk::Uuid& chain) const;
  sdk::Answer consistency(const sdk::Request& request, const sdk::Uuid& chain) const;

  // Where the chain begins, and the tree of what is before that.
  sdk::Result<ChainBeginning> beginning(const sdk::Uuid& chain) const;
  // The size that a proof is against: the one asked for, or the newest checkpoint's; never beyond
  // that one. Else the answer that says so.
  std::variant<std::int64_t, sdk::Answer> proved_size(const sdk::Request& request,
                                                      std::string_view parameter,
                                                      const sdk::Uuid& chain) const;

  const AuditStore store_;
  const CheckpointStore checkpoints_;
  const EpochStore epochs_;
  const ChainTree tree_;
  const ChainRouter& chains_;
  sdk::CursorCodec cursors_;
};

}  // namespace plexsphere::audit
