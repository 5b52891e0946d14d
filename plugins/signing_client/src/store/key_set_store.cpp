#include "store/key_set_store.hpp"

namespace plexsphere::signing_client {
namespace {

using sdk::Bytes;
using sdk::Type;

std::optional<sdk::Instant> instant_of(const std::optional<RotationView>& rotation) {
  if (!rotation) {
    return std::nullopt;
  }
  return sdk::Instant(std::chrono::seconds(rotation->closes_at));
}

}  // namespace

sdk::Result<KeySetStore> KeySetStore::declare(const sdk::Store& store) {
  KeySetStore out(store);
  const struct {
    sdk::Statement* into;
    sdk::Result<sdk::Statement> made;
  } statements[] = {
      {&out.newest_, store.read("key_set.newest",
                                "SELECT document, signature, document_key "
                                "FROM signing_client.key_set WHERE scope = $1 "
                                "ORDER BY number DESC LIMIT 1",
                                {Type::text}, {Type::bytes, Type::bytes, Type::bytes})},
      {&out.add_, store.write("key_set.add",
                              "INSERT INTO signing_client.key_set "
                              "(scope, number, document, signature, document_key) "
                              "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope, number) DO NOTHING",
                              {Type::text, Type::int64, Type::bytes, Type::bytes, Type::bytes})},
      {&out.same_, store.read("key_set.same",
                              "SELECT document = $3 FROM signing_client.key_set "
                              "WHERE scope = $1 AND number = $2",
                              {Type::text, Type::int64, Type::bytes}, {Type::boolean})},
      {&out.project_,
       store.write(
           "key_set.project",
           "INSERT INTO signing_client.active_key AS a (scope, number, key_id, events_key, "
           "checkpoints_key, closes_at) VALUES ($1, $2, $3, $4, $5, $6) "
           "ON CONFLICT (scope) DO UPDATE SET number = excluded.number, "
           "key_id = excluded.key_id, events_key = excluded.events_key, "
           "checkpoints_key = excluded.checkpoints_key, closes_at = excluded.closes_at "
           "WHERE a.number < excluded.number",
           {Type::text, Type::int64, Type::text, Type::bytes, Type::bytes, Type::timestamp})},
      {&out.pin_, store.write("document_key.pin",
                              "INSERT INTO signing_client.document_key (public_key) VALUES ($1) "
                              "ON CONFLICT (only_one) DO NOTHING",
                              {Type::bytes})},
      {&out.pinned_,
       store.read("document_key.pinned", "SELECT public_key FROM signing_client.document_key", {},
                  {Type::bytes})},
      {&out.due_, store.read("rotation.due",
                             "SELECT scope FROM signing_client.active_key WHERE closes_at <= $1 "
                             "ORDER BY closes_at LIMIT 100",
                             {Type::timestamp}, {Type::text})},
  };
  for (const auto& statement : statements) {
    if (!statement.made.ok()) {
      return statement.made.error();
    }
    *statement.into = *statement.made;
  }
  return out;
}

sdk::Result<std::optional<SignedDocument>> KeySetStore::newest(std::string_view scope) const {
  auto rows = store_.read_once(newest_, scope);
  if (!rows.ok()) {
    return rows.error();
  }
  if (rows->empty()) {
    return std::optional<SignedDocument>();
  }
  const sdk::Row row = (*rows)[0];
  return std::optional(SignedDocument{std::string(row.bytes(0)), std::string(row.bytes(1)),
                                      std::string(row.bytes(2))});
}

sdk::Status KeySetStore::keep(const SignedDocument& document, const KeySetView& set) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (sdk::Status kept = keep_in(*tx, document, set); !kept.ok()) {
    return kept;
  }
  return tx->commit();
}

sdk::Status KeySetStore::keep_in(const sdk::Transaction& tx, const SignedDocument& document,
                                 const KeySetView& set) const {
  auto added = tx.run(add_, set.scope, set.number, Bytes{document.document},
                      Bytes{document.signature}, Bytes{document.document_key});
  if (!added.ok()) {
    return added.error();
  }
  if (added->affected() == 0) {
    auto same = tx.run(same_, set.scope, set.number, Bytes{document.document});
    if (!same.ok()) {
      return same.error();
    }
    if (same->empty() || !(*same)[0].boolean(0)) {
      return sdk::Error{sdk::Code::data_loss, "key_set_fork",
                        "The signer gave two key sets of number " + std::to_string(set.number) +
                            " for scope " + set.scope + ": its instances do not agree."};
    }
  }
  const KeyView& active = set.active();
  auto projected = tx.run(project_, set.scope, set.number, active.key_id, Bytes{active.events},
                          Bytes{active.checkpoints}, instant_of(set.rotation));
  return projected.ok() ? sdk::Status() : sdk::Status(projected.error());
}

sdk::Result<std::optional<std::string>> KeySetStore::pinned() const {
  auto rows = store_.read_once(pinned_);
  if (!rows.ok()) {
    return rows.error();
  }
  return rows->empty() ? std::optional<std::string>()
                       : std::optional(std::string((*rows)[0].bytes(0)));
}

sdk::Result<std::string> KeySetStore::pin(std::string_view offered) const {
  auto tx = store_.begin();
  if (!tx.ok()) {
    return tx.error();
  }
  if (auto written = tx->run(pin_, Bytes{offered}); !written.ok()) {
    return written.error();
  }
  if (sdk::Status done = tx->commit(); !done.ok()) {
    return done.error();
  }
  auto held = pinned();
  if (!held.ok()) {
    return held.error();
  }
  if (!*held) {
    return sdk::Error{sdk::Code::internal, "pin_lost", "The pinned document key has vanished."};
  }
  return **held;
}

sdk::Result<std::vector<std::string>> KeySetStore::due(const sdk::Transaction& tx,
                                                       sdk::Instant now) const {
  auto rows = tx.run(due_, now);
  if (!rows.ok()) {
    return rows.error();
  }
  std::vector<std::string> scopes;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    scopes.push_back((*rows)[i].string(0));
  }
  return scopes;
}

}  // namespace plexsphere::signing_client
