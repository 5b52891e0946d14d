#include "app/last_signed.hpp"

namespace plexsphere::audit {

using sdk::Result;
using sdk::Status;
using sdk::Uuid;

Result<std::int64_t> LastSigned::epoch_of(const Uuid& chain) const {
  const auto newest = epochs_.newest(chain);
  return newest.ok() ? Result<std::int64_t>(newest->epoch) : newest.error();
}

Status LastSigned::ask(const Uuid& chain, const std::function<bool()>& should_stop) {
  const auto epoch = epoch_of(chain);
  if (!epoch.ok()) {
    return epoch.error();
  }
  const auto known = known_.find(chain);
  if (known != known_.end() && known->second.epoch == *epoch) {
    return {};
  }
  auto last = signer_.last(chain, should_stop);
  if (!last.ok()) {
    return last.error();
  }
  known_[chain] = Known{std::move(*last), *epoch, false};
  return {};
}

Result<LastSigned::Standing> LastSigned::compare(const Uuid& chain, std::int64_t size) {
  Known& known = known_[chain];
  if (!known.held) {
    auto divergence = differs(chain, known, size);
    if (!divergence.ok()) {
      return divergence.error();
    }
    if (divergence.value()) {
      return Standing{known.epoch, std::move(*divergence.value())};
    }
    known.held = true;
  }
  return Standing{known.epoch, std::nullopt};
}

Result<std::optional<Divergence>> LastSigned::differs(const Uuid& chain, const Known& known,
                                                      std::int64_t size) const {
  const sdk::LastCheckpoint& last = known.last;
  if (last.epoch == 0) {
    return std::optional<Divergence>{};  // it remembers nothing, and was told to believe
  }
  const auto signed_size = static_cast<std::int64_t>(last.size);
  const auto set_back = [&](std::optional<std::string> observed) {
    return std::optional(
        Divergence{signed_size, Finding::set_back, last.root, std::move(observed)});
  };
  if (last.epoch != static_cast<std::uint64_t>(known.epoch) || signed_size > size) {
    return set_back(std::nullopt);
  }
  if (signed_size == 0) {
    return std::optional<Divergence>{};
  }
  auto root = tree_.root(chain, signed_size);
  if (!root.ok()) {
    return root.error();
  }
  return root.value() == last.root ? std::optional<Divergence>{}
                                   : set_back(std::move(root.value()));
}

}  // namespace plexsphere::audit
