#include "app/resolvers.hpp"

#include <array>

#include "domain/residency.hpp"

namespace plexsphere::audit {
namespace {

using sdk::Code;
using sdk::Error;
using sdk::Result;
using sdk::Uuid;

std::string key_of(const Entry& entry) {
  return entry.object_type + '\0' + entry.object_id;
}

Resolvers::Domains residency(const Entry& entry, Resolvers::Domains owners) {
  const Parties<Uuid> parties{entry.object_type, std::move(owners), entry.subject_domain_id,
                              entry.subject_is_platform};
  return chains_of(parties, platform_anchor());
}

// The chain an entry names by itself.
std::optional<Resolvers::Domains> own_chain(const Entry& entry) {
  switch (entry.chain) {
    case PX_CHAIN_DOMAIN:
      return Resolvers::Domains{entry.domain_id};
    case PX_CHAIN_PLATFORM:
      return Resolvers::Domains{platform_anchor()};
    default:
      return std::nullopt;
  }
}

}  // namespace

sdk::Status Resolvers::add(std::string_view object_type, px_audit_resolver resolver, void* ctx) {
  if (object_type.empty() || resolver == nullptr) {
    return Error{Code::invalid_argument, "invalid_resolver",
                 "A resolver needs an object type and a function."};
  }
  if (!resolvers_.emplace(std::string(object_type), Resolver{resolver, ctx}).second) {
    return Error{Code::already_exists, "resolver_exists",
                 "Objects of type \"" + std::string(object_type) + "\" have a resolver already."};
  }
  return {};
}

Result<Resolvers::Domains> Resolvers::ask(const std::string& object_type,
                                          const std::string& object_id) const {
  const auto at = resolvers_.find(object_type);
  if (at == resolvers_.end()) {
    return Domains{};
  }
  std::array<px_uuid, kMostDomains> ids{};
  uint64_t count = 0;
  sdk::ErrorSink sink;
  const px_status status = at->second.call(at->second.ctx, sdk::to_wire(object_id), ids.data(),
                                           ids.size(), &count, sink.wire());
  if (status == PX_NOT_FOUND) {
    return Domains{};
  }
  if (status != PX_OK) {
    return std::move(sink).error(status);
  }
  Domains out;
  for (uint64_t i = 0; i < count && i < ids.size(); ++i) {
    if (const Uuid id(ids[i]); !id.is_zero() && id != platform_anchor()) {
      out.push_back(id);
    }
  }
  return out;
}

Result<Resolvers::Domains> Resolvers::chains(const Entry& entry) {
  if (auto known = known_chains(entry)) {
    return std::move(*known);
  }
  auto owners = ask(entry.object_type, entry.object_id);
  if (!owners.ok()) {
    return owners.error();
  }
  if (!owners->empty()) {
    remember(key_of(entry), *owners);
  }
  Domains found = residency(entry, std::move(*owners));
  if (found.empty()) {
    return Error{Code::failed_precondition, "domain_unresolved",
                 "No Domain owns the " + entry.object_type +
                     " and its subject belongs to none: the entry has no chain."};
  }
  return found;
}

std::optional<Resolvers::Domains> Resolvers::known_chains(const Entry& entry) const {
  if (auto own = own_chain(entry)) {
    return own;
  }
  if (entry.object_type == "platform") {
    return residency(entry, {});
  }
  auto owners = remembered(key_of(entry));
  return owners ? std::optional(residency(entry, std::move(*owners))) : std::nullopt;
}

std::optional<Resolvers::Domains> Resolvers::remembered(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto at = memory_.find(key);
  return at == memory_.end() ? std::nullopt : std::optional(at->second);
}

void Resolvers::remember(const std::string& key, const Domains& domains) {
  const std::lock_guard lock(mutex_);
  if (memory_.size() >= kMostRemembered) {
    memory_.clear();
  }
  memory_[key] = domains;
}

}  // namespace plexsphere::audit
