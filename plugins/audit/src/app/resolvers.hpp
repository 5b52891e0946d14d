// Who owns an object: the resolvers that other contexts registered, and a memory of their answers.
//
// Ownership never moves and ids are never used again, so an answer stays true; what is not owned
// today may be tomorrow, so only answers that name a Domain are remembered.
//
// Thread safety: add in configure only; everything else from any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "app/entry.hpp"
#include "plexsphere/abi/ports/audit.h"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::audit {

class Resolvers {
 public:
  static constexpr std::size_t kMostDomains = 64;         // owners of one object
  static constexpr std::size_t kMostRemembered = 65'536;  // the next answer empties the memory

  using Domains = std::vector<sdk::Uuid>;

  // [init] ALREADY_EXISTS "resolver_exists" for a second resolver of one type.
  sdk::Status add(std::string_view object_type, px_audit_resolver resolver, void* ctx);

  // Asks the resolver of the type, whatever is remembered; nothing for a type without one. Blocks.
  sdk::Result<Domains> ask(const std::string& object_type, const std::string& object_id) const;

  // The chains of an entry with PX_CHAIN_RESOLVE (or its own chain), in ascending order.
  // FAILED_PRECONDITION "domain_unresolved". May block on a resolver.
  sdk::Result<Domains> chains(const Entry& entry);
  // The same where no resolver has to be asked.
  std::optional<Domains> known_chains(const Entry& entry) const;

 private:
  struct Resolver {
    px_audit_resolver call = nullptr;
    void* ctx = nullptr;
  };
  std::optional<Domains> remembered(const std::string& key) const;
  void remember(const std::string& key, const Domains& domains);

  std::map<std::string, Resolver, std::less<>> resolvers_;  // complete before start
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Domains> memory_;  // under mutex_
};

}  // namespace plexsphere::audit
