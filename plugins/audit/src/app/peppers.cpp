#include "app/peppers.hpp"

#include <algorithm>

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Status;
using sdk::Uuid;

std::string scope_of(const Uuid& chain) {
  return "audit-pepper:" + chain.text();
}

Error unavailable(const Error& cause) {
  return {Code::unavailable, "pepper_unavailable",
          "The chain's pepper cannot be had: " + cause.reason + ": " + cause.detail};
}

}  // namespace

std::optional<std::string> Peppers::known(const Uuid& chain, std::string_view subject) const {
  const std::shared_lock lock(mutex_);
  const auto at = peppers_.find(chain);
  if (at == peppers_.end()) {
    return std::nullopt;
  }
  return pseudonym({at->second.bytes.data(), at->second.bytes.size()}, subject);
}

sdk::Result<std::string> Peppers::of(const Uuid& chain, std::string_view subject) {
  if (auto found = known(chain, subject)) {
    return std::move(*found);
  }
  const std::lock_guard one_at_a_time(obtaining_);
  if (auto found = known(chain, subject)) {  // the thread before us asked for the same one
    return std::move(*found);
  }
  if (auto obtained = obtain(chain); !obtained.ok()) {
    return unavailable(obtained.error());
  }
  auto found = known(chain, subject);
  if (!found) {
    return unavailable({Code::internal, "forgotten", "it was forgotten while the process stops"});
  }
  return std::move(*found);
}

sdk::Result<std::optional<std::string>> Peppers::existing(const Uuid& chain,
                                                          std::string_view subject) {
  if (auto found = known(chain, subject)) {
    return found;
  }
  const auto stored = store_.find_pepper(chain);
  if (!stored.ok()) {
    return unavailable(stored.error());
  }
  if (!*stored) {
    return std::optional<std::string>{};
  }
  auto found = of(chain, subject);
  return found.ok() ? sdk::Result<std::optional<std::string>>(std::move(*found)) : found.error();
}

Status Peppers::obtain(const Uuid& chain) {
  auto stored = store_.find_pepper(chain);
  if (stored.ok() && !*stored) {
    if (auto made = make(chain); !made.ok()) {
      return made;
    }
    stored = store_.find_pepper(chain);  // ours, or that of the replica that was first
  }
  if (!stored.ok()) {
    return stored.error();
  }
  if (!*stored) {
    return Error{Code::internal, "pepper_missing", "The pepper that was just kept is not there."};
  }
  const SealedPepper& sealed = **stored;
  const auto opened = seal_.unseal(scope_of(chain), sealed.wrap_key_id, chain.bytes(), sealed.blob);
  if (!opened.ok()) {
    return opened.error();
  }
  if (opened.value().bytes().size() != kPepperSize) {
    return Error{Code::data_loss, "pepper_size", "The stored pepper is not 32 bytes long."};
  }
  keep(chain, opened.value().bytes());
  return {};
}

Status Peppers::make(const Uuid& chain) {
  Pepper fresh;
  sdk::random_bytes(fresh.bytes.data(), fresh.bytes.size());
  const auto sealed =
      seal_.seal(scope_of(chain), chain.bytes(), {fresh.bytes.data(), fresh.bytes.size()});
  if (!sealed.ok()) {
    return sealed.error();
  }
  return store_.keep_pepper(chain, {sealed.value().wrap_key_id, sealed.value().blob});
}

void Peppers::keep(const Uuid& chain, std::string_view pepper) {
  const std::unique_lock lock(mutex_);
  if (peppers_.size() >= kMost) {
    peppers_.clear();
  }
  std::copy(pepper.begin(), pepper.end(), peppers_[chain].bytes.begin());
}

void Peppers::forget() {
  const std::unique_lock lock(mutex_);
  peppers_.clear();
}

}  // namespace plexsphere::audit
