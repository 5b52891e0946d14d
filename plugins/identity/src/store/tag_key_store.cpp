#include "store/tag_key_store.hpp"

#include "plexsphere/sdk/declarations.hpp"

namespace plexsphere::identity {

using sdk::Type;

sdk::Status TagKeyStore::declare(const sdk::Store& store) {
  store_ = store;
  sdk::Declarations all(store_);
  all.read(first_used_, "tag_key.first_used",
           "SELECT first_used_at FROM identity.token_tag_key WHERE version = $1", {Type::int64},
           {Type::timestamp});
  all.write(note_, "tag_key.note",
            "INSERT INTO identity.token_tag_key (version) VALUES ($1) ON CONFLICT DO NOTHING",
            {Type::int64});
  return std::move(all).status();
}

sdk::Result<std::optional<sdk::Instant>> TagKeyStore::first_used_at(std::int64_t version) const {
  auto rows = store_.read_once(first_used_, version);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<sdk::Instant>() : std::optional((*rows)[0].instant(0));
}

sdk::Status TagKeyStore::note(const sdk::Transaction& tx, std::int64_t version) const {
  auto rows = tx.run(note_, version);
  return rows.ok() ? sdk::Status{} : sdk::Status(rows.error());
}

}  // namespace plexsphere::identity
