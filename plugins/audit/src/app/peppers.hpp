// The peppers that turn subjects into pseudonyms: 32 random bytes a chain, sealed in the database
// under a wrap key of its own, unsealed in memory here. A pepper never leaves this class.
//
// A chain's first pepper is made on first use, in a transaction of its own, so that it survives
// when the transaction that needed it is rolled back and no lock of that transaction is in its way.
// One thread at a time does so: whoever asks may be holding a pooled connection already, and if
// many waited for a second one each, none would get it.
//
// Thread safety: any thread. Ownership: owns the unsealed peppers; zeroed when they go.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "app/digest.hpp"
#include "plexsphere/sdk/seal.hpp"
#include "store/audit_store.hpp"

namespace plexsphere::audit {

class Peppers {
 public:
  static constexpr std::size_t kMost = 65'536;  // in memory; the next one empties the cache

  Peppers(AuditStore store, sdk::Seal seal) : store_(std::move(store)), seal_(seal) {}
  Peppers(const Peppers&) = delete;
  Peppers& operator=(const Peppers&) = delete;

  // The 32-byte pseudonym of a subject (16 bytes, digest.hpp) in a chain, if its pepper is in
  // memory. Does not block on the database.
  std::optional<std::string> known(const sdk::Uuid& chain, std::string_view subject) const;

  // The same, fetching or making the pepper. UNAVAILABLE "pepper_unavailable" when that fails for
  // whatever reason: without it nothing may be recorded. Blocks on the database.
  sdk::Result<std::string> of(const sdk::Uuid& chain, std::string_view subject);

  // The same of a chain that has a pepper, nothing of one that has none yet: none is made.
  sdk::Result<std::optional<std::string>> existing(const sdk::Uuid& chain,
                                                   std::string_view subject);

  // Zeroes and forgets every pepper.
  void forget();

 private:
  struct Pepper {
    std::array<char, kPepperSize> bytes{};
    Pepper() = default;
    Pepper(const Pepper&) = delete;
    Pepper& operator=(const Pepper&) = delete;
    ~Pepper() { sdk::zero(bytes.data(), bytes.size()); }
  };

  sdk::Status obtain(const sdk::Uuid& chain);
  sdk::Status make(const sdk::Uuid& chain);
  void keep(const sdk::Uuid& chain, std::string_view pepper);

  AuditStore store_;
  sdk::Seal seal_;
  std::mutex obtaining_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<sdk::Uuid, Pepper> peppers_;  // under mutex_
};

}  // namespace plexsphere::audit
