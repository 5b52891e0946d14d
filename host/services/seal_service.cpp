#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "host/persistence/error_capture.hpp"
#include "host/services/data_services.hpp"
#include "plexsphere/abi/seal.h"

namespace plexsphere::host {
namespace {

using persistence::guarded_call;
using seal::SecretBytes;

std::string text_of(px_str text) {
  return text.len == 0 ? std::string{} : std::string(text.ptr, text.len);
}
seal::Bytes bytes_of(px_bytes bytes) {
  return {bytes.ptr, bytes.len};
}

void hand_out(SecretBytes secret, px_secret& out) {
  auto held = std::make_unique<SecretBytes>(std::move(secret));
  out.struct_size = sizeof(px_secret);
  out.reserved = 0;
  out.bytes = {held->span().data(), held->span().size()};
  out.release = [](void* self) { delete static_cast<SecretBytes*>(self); };
  out.self = held.release();
}

void hand_out(seal::SealedBlob sealed, px_sealed& out) {
  auto held = std::make_unique<seal::SealedBlob>(std::move(sealed));
  out.struct_size = sizeof(px_sealed);
  out.wrap_key_version = held->wrap_key_version;
  std::ranges::copy(held->wrap_key_id, std::begin(out.wrap_key_id.b));
  out.blob = {held->blob.data(), held->blob.size()};
  out.release = [](void* self) { delete static_cast<seal::SealedBlob*>(self); };
  out.self = held.release();
}

void tell(const seal::WrapKeyVersion& key, px_wrap_key& out) {
  out.struct_size = sizeof(px_wrap_key);
  out.version = key.version;
  std::ranges::copy(key.id, std::begin(out.id.b));
}

static_assert(seal::Vault::kActiveFor == std::chrono::milliseconds(PX_SEAL_SETTLE_MS));

}  // namespace

struct SealProvider::Table {
  px_seal wire{};
  seal::Vault& engine;
  std::string context;

  Table(seal::Vault& the_engine, std::string the_context)
      : engine(the_engine), context(std::move(the_context)) {
    wire.base = {sizeof(px_seal), 1, this};
    wire.seal = [](void* self, px_str scope, px_bytes aad, px_bytes plaintext, px_sealed* out,
                   px_error* err) {
      return guarded_call(err, [&] {
        auto& table = *static_cast<Table*>(self);
        hand_out(
            table.engine.seal(table.context, text_of(scope), bytes_of(aad), bytes_of(plaintext)),
            *out);
      });
    };
    wire.unseal = [](void* self, px_str scope, px_uuid wrap_key_id, px_bytes aad, px_bytes blob,
                     px_secret* out, px_error* err) {
      return guarded_call(err, [&] {
        auto& table = *static_cast<Table*>(self);
        hand_out(table.engine.unseal(table.context, text_of(scope), std::to_array(wrap_key_id.b),
                                     bytes_of(aad), bytes_of(blob)),
                 *out);
      });
    };
    wire.derive_key = [](void* self, px_str label, px_secret* out, px_error* err) {
      return guarded_call(err, [&] {
        auto& table = *static_cast<Table*>(self);
        hand_out(table.engine.derive(table.context, text_of(label)), *out);
      });
    };
    add_renewal();
  }

  void add_renewal() {
    wire.active = [](void* self, px_str scope, px_wrap_key* out, px_error* err) {
      return guarded_call(err, [&] {
        auto& table = *static_cast<Table*>(self);
        tell(table.engine.active(table.context, text_of(scope)), *out);
      });
    };
    wire.rotate = [](void* self, px_str scope, int32_t from_version, px_wrap_key* out,
                     px_error* err) {
      return guarded_call(err, [&] {
        auto& table = *static_cast<Table*>(self);
        tell(table.engine.rotate(table.context, text_of(scope), from_version), *out);
      });
    };
    wire.retire = [](void* self, px_str scope, int32_t version, uint64_t* count, px_error* err) {
      return guarded_call(err, [&] {
        auto& table = *static_cast<Table*>(self);
        const auto retired = table.engine.retire(table.context, text_of(scope), version);
        if (count != nullptr) {
          *count = retired;
        }
      });
    };
  }
};

SealProvider::SealProvider(seal::Vault& engine) : engine_(engine) {}
SealProvider::~SealProvider() = default;

const px_table* SealProvider::table_for(const PluginContext& plugin) {
  auto& table = tables_[&plugin];
  if (!table) {
    table = std::make_unique<Table>(engine_, plugin.manifest.id);
  }
  return &table->wire.base;
}

}  // namespace plexsphere::host
