// The core's own record of key sets in PostgreSQL: every numbered document, and a projection of the
// newest one of each scope.
//
// Thread safety: after `declare`, any thread; each call runs in a transaction it is given or in one
// of its own, and blocks. Ownership: views of the host's px.store. Invariants: documents are only
// added; the projection follows the highest number; the pinned document key is written once.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/key_set_view.hpp"
#include "plexsphere/sdk/store.hpp"

namespace plexsphere::signing_client {

class KeySetStore {
 public:
  // Declares the statements. [init]
  static sdk::Result<KeySetStore> declare(const sdk::Store& store);

  // The newest document of the scope, if any.
  [[nodiscard]] sdk::Result<std::optional<SignedDocument>> newest(std::string_view scope) const;

  // Adds a document that has been verified and read as `set`, in a transaction of its own or the
  // given one (not committed here). Adding the same one again changes nothing; another document of
  // the same number is PX_DATA_LOSS, reason "key_set_fork".
  [[nodiscard]] sdk::Status keep(const SignedDocument& document, const KeySetView& set) const;
  [[nodiscard]] sdk::Status keep_in(const sdk::Transaction& tx, const SignedDocument& document,
                                    const KeySetView& set) const;

  // The pinned document key: `offered` if none was pinned before, then and ever after that one.
  [[nodiscard]] sdk::Result<std::string> pin(std::string_view offered) const;
  [[nodiscard]] sdk::Result<std::optional<std::string>> pinned() const;

  // Scopes whose open rotation was due to close at `now` or before, the most overdue first; at most
  // 100.
  [[nodiscard]] sdk::Result<std::vector<std::string>> due(const sdk::Transaction& tx,
                                                          sdk::Instant now) const;

  [[nodiscard]] const sdk::Store& store() const { return store_; }

 private:
  explicit KeySetStore(const sdk::Store& store) : store_(store) {}

  sdk::Store store_;
  sdk::Statement newest_;
  sdk::Statement add_;
  sdk::Statement same_;
  sdk::Statement project_;
  sdk::Statement pin_;
  sdk::Statement pinned_;
  sdk::Statement due_;
};

}  // namespace plexsphere::signing_client
