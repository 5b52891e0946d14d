#include "host/seal/vault.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "host/persistence/store_error.hpp"

namespace plexsphere::host::seal {
namespace {

using persistence::StoreError;

constexpr std::size_t kSlabBytes = 4096;

constexpr px_type kColumns[] = {PX_TYPE_UUID,  PX_TYPE_TEXT, PX_TYPE_TEXT,
                                PX_TYPE_INT64, PX_TYPE_TEXT, PX_TYPE_BYTES};

px_str view(std::string_view text) {
  return {text.data(), text.size()};
}

px_value text_value(std::string_view text) {
  px_value value{};
  value.type = PX_TYPE_TEXT;
  value.v.text = view(text);
  return value;
}

px_value uuid_value(const UuidBytes& id) {
  px_value value{};
  value.type = PX_TYPE_UUID;
  std::ranges::copy(id, std::begin(value.v.uuid.b));
  return value;
}

px_value integer_value(std::int64_t number) {
  px_value value{};
  value.type = PX_TYPE_INT64;
  value.v.integer = number;
  return value;
}

px_value bytes_value(Bytes bytes) {
  px_value value{};
  value.type = PX_TYPE_BYTES;
  value.v.bytes = {bytes.data(), bytes.size()};
  return value;
}

std::string text_of(const px_value& value) {
  return {value.v.text.ptr, value.v.text.len};
}

std::uint32_t declare(persistence::Store& store, const persistence::Client& client,
                      std::string_view name, std::string_view sql,
                      const std::vector<px_type>& parameters, std::span<const px_type> results) {
  const px_statement statement{sizeof(px_statement), 0,
                               view(name),           view(sql),
                               parameters.data(),    parameters.size(),
                               results.data(),       results.size()};
  return store.catalog().declare(client, statement);
}

// The version is not bound: it is counted inside the INSERT, and id and scope name the key already.
AdditionalData wrap_aad(std::string_view context, std::string_view scope, const UuidBytes& id,
                        std::string_view root_key_id) {
  AdditionalData aad("plexsphere/seal/1/wrap-key");
  aad.add(context).add(scope).add(Bytes{id}).add(root_key_id);
  return aad;
}

// Random bytes, wrapped under the root key.
std::vector<std::uint8_t> new_wrapped_key(const RootKey& root, const std::string& context,
                                          const std::string& scope, const UuidBytes& id) {
  SecretBytes plain(kKeyBytes);
  if (RAND_priv_bytes(plain.span().data(), kKeyBytes) != 1) {
    throw std::runtime_error("the library gave no random bytes");
  }
  return aead_seal(root.bytes(), wrap_aad(context, scope, id, root.id()).bytes(), plain.span());
}

AdditionalData blob_aad(std::string_view context, std::string_view scope, const UuidBytes& id,
                        Bytes caller) {
  AdditionalData aad("plexsphere/seal/1/blob");
  aad.add(context).add(scope).add(Bytes{id}).add(caller);
  return aad;
}

void check_limits(const std::string& scope, Bytes aad) {
  if (scope.empty() || scope.size() > Vault::kMaxScopeBytes || aad.size() > Vault::kMaxAadBytes) {
    throw StoreError(PX_INVALID_ARGUMENT, "seal_limits",
                     "a scope has 1 to 128 bytes and additional data at most 4096");
  }
}

}  // namespace

Vault::Vault(persistence::Store& store, RootKey root) : store_(store), root_(std::move(root)) {
  const std::string select =
      "SELECT id, context, scope, version, root_key_id, wrapped FROM platform.wrap_key WHERE ";
  find_active_ = declare(store_, client_, "wrap_key.active",
                         select + "context = $1 AND scope = $2 AND superseded_at IS NULL",
                         {PX_TYPE_TEXT, PX_TYPE_TEXT}, kColumns);
  find_by_id_ =
      declare(store_, client_, "wrap_key.by_id", select + "id = $1", {PX_TYPE_UUID}, kColumns);
  insert_ = declare(store_, client_, "wrap_key.insert",
                    "INSERT INTO platform.wrap_key (id, context, scope, version, root_key_id, "
                    "wrapped) SELECT $1::uuid, $2::text, $3::text, coalesce(max(version), 0) + 1, "
                    "$4::text, $5::bytea "
                    "FROM platform.wrap_key WHERE context = $2 AND scope = $3 "
                    "ON CONFLICT DO NOTHING",
                    {PX_TYPE_UUID, PX_TYPE_TEXT, PX_TYPE_TEXT, PX_TYPE_TEXT, PX_TYPE_BYTES}, {});
  rotate_ = declare(
      store_, client_, "wrap_key.rotate",
      "WITH before AS (UPDATE platform.wrap_key SET superseded_at = transaction_timestamp() "
      "WHERE context = $2 AND scope = $3 AND version = $6 AND superseded_at IS NULL "
      "RETURNING version) "
      "INSERT INTO platform.wrap_key (id, context, scope, version, root_key_id, wrapped) "
      "SELECT $1::uuid, $2::text, $3::text, before.version + 1, $4::text, $5::bytea "
      "FROM before",
      {PX_TYPE_UUID, PX_TYPE_TEXT, PX_TYPE_TEXT, PX_TYPE_TEXT, PX_TYPE_BYTES, PX_TYPE_INT64}, {});
  retire_ = declare(store_, client_, "wrap_key.retire",
                    "UPDATE platform.wrap_key SET retired_at = transaction_timestamp() "
                    "WHERE context = $1 AND scope = $2 AND version < $3 "
                    "AND superseded_at IS NOT NULL AND retired_at IS NULL",
                    {PX_TYPE_TEXT, PX_TYPE_TEXT, PX_TYPE_INT64}, {});
}

Vault::~Vault() = default;

SealedBlob Vault::seal(const std::string& context, const std::string& scope, Bytes aad,
                       Bytes plaintext) {
  check_limits(scope, aad);
  if (plaintext.empty() || plaintext.size() > kMaxPlaintextBytes) {
    throw StoreError(
        PX_INVALID_ARGUMENT, "seal_limits",
        "a secret to seal has 1 to 65536 bytes, this one " + std::to_string(plaintext.size()));
  }
  const WrapKey key = active_key(context, scope);
  return {key.id, key.version,
          aead_seal(key.bytes(), blob_aad(context, scope, key.id, aad).bytes(), plaintext)};
}

SecretBytes Vault::unseal(const std::string& context, const std::string& scope,
                          const UuidBytes& wrap_key_id, Bytes aad, Bytes blob) {
  check_limits(scope, aad);
  const WrapKey key = key_by_id(wrap_key_id);
  std::optional<SecretBytes> plain;
  if (key.context == context && key.scope == scope) {
    plain = aead_open(key.bytes(), blob_aad(context, scope, key.id, aad).bytes(), blob);
  }
  if (!plain) {
    throw StoreError(PX_DATA_LOSS, "seal_broken",
                     "the sealed secret does not open: it, its scope or its additional data is not "
                     "what was sealed under wrap key " +
                         to_text(wrap_key_id));
  }
  return std::move(*plain);
}

WrapKeyVersion Vault::active(const std::string& context, const std::string& scope) {
  check_limits(scope, {});
  const auto now = std::chrono::steady_clock::now();
  const auto key = read(find_active_, {text_value(context), text_value(scope)});
  if (!key) {
    throw StoreError(PX_NOT_FOUND, "wrap_key_not_found",
                     "nothing was ever sealed under the scope '" + scope + "'");
  }
  note_active(context, scope, key->id, now);
  return {key->id, key->version};
}

WrapKeyVersion Vault::rotate(const std::string& context, const std::string& scope,
                             std::int32_t from_version) {
  check_limits(scope, {});
  const UuidBytes id = make_uuid7();
  const std::vector<std::uint8_t> wrapped = new_wrapped_key(root_, context, scope, id);
  (void)change(rotate_,
               {uuid_value(id), text_value(context), text_value(scope), text_value(root_.id()),
                bytes_value(wrapped), integer_value(from_version)});
  return active(context, scope);
}

std::size_t Vault::retire(const std::string& context, const std::string& scope,
                          std::int32_t version) {
  check_limits(scope, {});
  return change(retire_, {text_value(context), text_value(scope), integer_value(version)});
}

SecretBytes Vault::derive(const std::string& context, std::string_view label) const {
  AdditionalData info("plexsphere/seal/1/derive");
  info.add(context).add(label);
  const Bytes bytes = info.bytes();
  return root_.derive({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

Vault::WrapKey Vault::active_key(const std::string& context, const std::string& scope) {
  const auto now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    const auto known = active_.find({context, scope});
    if (known != active_.end() && now - known->second.read_at < kActiveFor) {
      if (const auto key = keys_.find(known->second.id); key != keys_.end()) {
        return key->second;
      }
    }
  }
  const std::vector<px_value> parameters{text_value(context), text_value(scope)};
  std::optional<WrapKey> key = read(find_active_, parameters);
  if (!key) {
    create(context, scope);  // or lose the race to another replica: either way there is one now
    key = read(find_active_, parameters);
  }
  if (!key) {
    throw StoreError(PX_INTERNAL, "wrap_key_missing", "a wrap key was made but cannot be read");
  }
  note_active(context, scope, key->id, now);
  return *key;
}

void Vault::note_active(const std::string& context, const std::string& scope, const UuidBytes& id,
                        std::chrono::steady_clock::time_point read_at) {
  const std::lock_guard lock(mutex_);
  if (active_.size() >= kMaxCachedKeys) {
    active_.clear();
  }
  active_[{context, scope}] = {id, read_at};
}

Vault::WrapKey Vault::key_by_id(const UuidBytes& id) {
  if (auto key = cached(id)) {
    return std::move(*key);
  }
  if (auto key = read(find_by_id_, {uuid_value(id)})) {
    return std::move(*key);
  }
  throw StoreError(PX_NOT_FOUND, "wrap_key_not_found", "there is no wrap key " + to_text(id));
}

std::optional<Vault::WrapKey> Vault::cached(const UuidBytes& id) {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(id);
  return found == keys_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<Vault::WrapKey> Vault::read(std::uint32_t statement,
                                          const std::vector<px_value>& parameters) {
  px_tx* tx = store_.begin(client_, {.read_only = true});
  std::unique_ptr<px_rows> rows;
  try {
    store_.execute(client_, tx, statement, parameters.data(), parameters.size(), &rows);
  } catch (...) {
    store_.rollback(tx);
    throw;
  }
  store_.rollback(tx);
  if (rows->count() == 0) {
    return std::nullopt;
  }
  const px_value* cells = rows->cells(0);
  WrapKey key;
  std::ranges::copy(cells[0].v.uuid.b, key.id.begin());
  if (auto known = cached(key.id)) {
    return known;
  }
  key.context = text_of(cells[1]);
  key.scope = text_of(cells[2]);
  key.version = static_cast<std::int32_t>(cells[3].v.integer);
  const std::string root_key_id = text_of(cells[4]);
  const Bytes wrapped{cells[5].v.bytes.ptr, cells[5].v.bytes.len};
  const auto plain = aead_open(
      root_.bytes(), wrap_aad(key.context, key.scope, key.id, root_key_id).bytes(), wrapped);
  if (root_key_id != root_.id() || !plain || plain->span().size() != kKeyBytes) {
    throw StoreError(PX_DATA_LOSS, "wrap_key_broken",
                     "wrap key " + to_text(key.id) + " was wrapped under root key " + root_key_id +
                         " and does not open under the configured one, " + root_.id());
  }
  return remember(std::move(key), *plain);
}

void Vault::create(const std::string& context, const std::string& scope) {
  const UuidBytes id = make_uuid7();
  const std::vector<std::uint8_t> wrapped = new_wrapped_key(root_, context, scope, id);
  (void)change(insert_, {uuid_value(id), text_value(context), text_value(scope),
                         text_value(root_.id()), bytes_value(wrapped)});
}

// One statement in a transaction of its own; how many rows it changed.
std::size_t Vault::change(std::uint32_t statement, const std::vector<px_value>& parameters) {
  px_tx* tx = store_.begin(client_, {});
  std::unique_ptr<px_rows> rows;
  try {
    store_.execute(client_, tx, statement, parameters.data(), parameters.size(), &rows);
  } catch (...) {
    store_.rollback(tx);
    throw;
  }
  store_.commit(tx);
  return rows ? rows->affected() : 0;
}

Vault::WrapKey Vault::remember(WrapKey key, const SecretBytes& plain) {
  const std::lock_guard lock(mutex_);
  const bool keep = keys_.size() < kMaxCachedKeys;
  if (keep && (!slab_ || slab_used_ == kSlabBytes)) {
    slab_ = std::make_shared<SecretBytes>(kSlabBytes);
    slab_used_ = 0;
  }
  key.slab = keep ? slab_ : std::make_shared<SecretBytes>(kKeyBytes);
  key.offset = keep ? slab_used_ : 0;
  std::ranges::copy(plain.span(), key.slab->span().subspan(key.offset).begin());
  if (keep) {
    slab_used_ += kKeyBytes;
    keys_.emplace(key.id, key);
  }
  return key;
}

}  // namespace plexsphere::host::seal
