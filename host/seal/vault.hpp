// Wrap keys: random keys per (context, scope) that encrypt secrets at rest, wrapped under the root
// key in platform.wrap_key.
//
// A wrap key is active, then superseded (it opens, but seals nothing new), then retired (its
// context says that nothing names it). What was sealed under it opens in every state.
//
// Thread safety: all functions from any thread. Ownership: owns the root key and the unwrapped wrap
// keys, in locked memory. Invariants: a blob opens only for the context, scope, wrap key and
// additional data it was sealed with; making a wrap key is a transaction of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/uuid.hpp"
#include "host/persistence/store.hpp"
#include "host/seal/aead.hpp"
#include "host/seal/root_key.hpp"
#include "host/seal/secret_bytes.hpp"

namespace plexsphere::host::seal {

struct SealedBlob {
  UuidBytes wrap_key_id{};
  std::int32_t wrap_key_version = 0;
  std::vector<std::uint8_t> blob;
};

// The name of a wrap key.
struct WrapKeyVersion {
  UuidBytes id{};
  std::int32_t version = 0;
};

class Vault {
 public:
  static constexpr std::size_t kMaxScopeBytes = 128;
  static constexpr std::size_t kMaxPlaintextBytes = 65'536;
  static constexpr std::size_t kMaxAadBytes = 4'096;
  // Locked memory is scarce: beyond this many wrap keys, one is unwrapped again for each use.
  static constexpr std::size_t kMaxCachedKeys = 16'384;
  // How long a key superseded by another replica may still seal here.
  static constexpr std::chrono::seconds kActiveFor{10};

  // Declares its statements in the store's catalog. `store` must outlive the vault. [init]
  Vault(persistence::Store& store, RootKey root);
  ~Vault();

  // Throws StoreError: PX_INVALID_ARGUMENT for sizes outside the limits; PX_UNAVAILABLE when the
  // key must be read and the database is away; PX_DATA_LOSS when the stored wrap key does not open
  // under this root key.
  [[nodiscard]] SealedBlob seal(const std::string& context, const std::string& scope, Bytes aad,
                                Bytes plaintext);
  // As seal, and PX_NOT_FOUND for an unknown wrap key, PX_DATA_LOSS for a blob that does not open.
  [[nodiscard]] SecretBytes unseal(const std::string& context, const std::string& scope,
                                   const UuidBytes& wrap_key_id, Bytes aad, Bytes blob);
  // The scope's active wrap key, read anew; what is sealed here from now on, is sealed under it or
  // a newer one. Throws StoreError: PX_NOT_FOUND before the first.
  [[nodiscard]] WrapKeyVersion active(const std::string& context, const std::string& scope);
  // Puts a new wrap key in the place of the active one, if that is still `from_version`; otherwise
  // changes nothing. The active key after it: repeating the call is safe. Other replicas seal under
  // it within kActiveFor. Throws StoreError as seal; PX_NOT_FOUND before the first key.
  WrapKeyVersion rotate(const std::string& context, const std::string& scope,
                        std::int32_t from_version);
  // Marks the superseded versions below `version` as named by nothing. Returns how many.
  std::size_t retire(const std::string& context, const std::string& scope, std::int32_t version);
  // 32 bytes, the same wherever the root key is the same.
  [[nodiscard]] SecretBytes derive(const std::string& context, std::string_view label) const;

  [[nodiscard]] const std::string& root_key_id() const { return root_.id(); }

 private:
  struct WrapKey {
    UuidBytes id{};
    std::int32_t version = 0;
    std::string context;
    std::string scope;
    std::shared_ptr<SecretBytes> slab;  // shared by the keys that lie in it and those using them
    std::size_t offset = 0;
    [[nodiscard]] Bytes bytes() const {
      return std::as_const(*slab).span().subspan(offset, kKeyBytes);
    }
  };
  struct Active {
    UuidBytes id{};
    std::chrono::steady_clock::time_point read_at;
  };

  WrapKey active_key(const std::string& context, const std::string& scope);
  void note_active(const std::string& context, const std::string& scope, const UuidBytes& id,
                   std::chrono::steady_clock::time_point read_at);
  WrapKey key_by_id(const UuidBytes& id);
  std::optional<WrapKey> cached(const UuidBytes& id);
  std::optional<WrapKey> read(std::uint32_t statement, const std::vector<px_value>& parameters);
  void create(const std::string& context, const std::string& scope);
  std::size_t change(std::uint32_t statement, const std::vector<px_value>& parameters);
  WrapKey remember(WrapKey key, const SecretBytes& plain);

  persistence::Store& store_;
  // May use the connection in reserve: audit needs a chain's first key while its caller holds one
  // of the pool's, and if every caller waited so, none would ever be given back.
  const persistence::Client client_{"platform", "plexsphere_platform", true, true};
  const RootKey root_;
  std::uint32_t find_active_ = 0;
  std::uint32_t find_by_id_ = 0;
  std::uint32_t insert_ = 0;
  std::uint32_t rotate_ = 0;
  std::uint32_t retire_ = 0;

  std::mutex mutex_;
  std::map<UuidBytes, WrapKey> keys_;
  std::map<std::pair<std::string, std::string>, Active> active_;
  std::shared_ptr<SecretBytes> slab_;  // the one being filled
  std::size_t slab_used_ = 0;
};

}  // namespace plexsphere::host::seal
