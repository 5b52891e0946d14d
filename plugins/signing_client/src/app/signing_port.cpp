#include "app/signing_port.hpp"

#include <cstring>

namespace plexsphere::signing_client {
namespace {

constexpr uint64_t kMaxMessages = 256;
constexpr uint64_t kMaxMessageBytes = 60 * 1024;  // as the signer: an envelope fits 64 KiB with it
constexpr std::size_t kPublicKeyBytes = 32;

sdk::Error closed() {
  return {sdk::Code::unavailable, "signing_unavailable", "The signing client is not running."};
}

sdk::Status check_scope(std::string_view scope) {
  if (looks_like_scope(scope)) {
    return {};
  }
  return sdk::Error{sdk::Code::invalid_argument, "invalid_scope",
                    "A scope is \"platform\" or \"domain:<uuid>\"."};
}

std::optional<Purpose> purpose_of(px_signing_purpose wire) {
  switch (wire) {
    case PX_SIGN_EVENT:
      return Purpose::kEvents;
    case PX_SIGN_CHECKPOINT:
      return Purpose::kCheckpoints;
    case PX_SIGN_RESTORE:
      return Purpose::kRestores;
    default:
      return std::nullopt;
  }
}

px_public_key wire_key(std::string_view key_id, std::string_view key) {
  px_public_key out{};
  out.struct_size = sizeof out;
  std::memcpy(out.key, key.data(), std::min(key.size(), kPublicKeyBytes));
  out.key_id = sdk::to_wire(key_id);
  return out;
}

void finish_last(px_last_checkpoint_done done, void* ctx, const sdk::Result<LastAnswer>& answer) {
  if (!answer.ok()) {
    done(ctx, static_cast<px_status>(answer.error().code), sdk::to_wire(answer.error().reason),
         nullptr);
    return;
  }
  px_last_checkpoint out{};
  out.struct_size = sizeof out;
  out.size = answer->size;
  out.epoch = answer->epoch;
  out.has_root = answer->root.empty() ? 0 : 1;
  std::memcpy(out.root, answer->root.data(), std::min(answer->root.size(), sizeof out.root));
  std::memcpy(out.restore, answer->restore.data(),
              std::min(answer->restore.size(), sizeof out.restore));
  done(ctx, PX_OK, {}, &out);
}

void finish_rotation(px_rotation_done done, void* ctx, const sdk::Result<KeyView>& key) {
  if (!key.ok()) {
    done(ctx, static_cast<px_status>(key.error().code), sdk::to_wire(key.error().reason), nullptr);
    return;
  }
  const px_public_key wire = wire_key(key->key_id, key->events);
  done(ctx, PX_OK, {}, &wire);
}

void finish_sign(px_sign_done done, void* ctx, const sdk::Result<SignAnswer>& answer) {
  if (!answer.ok()) {
    done(ctx, static_cast<px_status>(answer.error().code), sdk::to_wire(answer.error().reason),
         nullptr, nullptr, 0);
    return;
  }
  const px_public_key key = wire_key(answer->key_id, answer->public_key);
  std::vector<px_signature> signatures(answer->signatures.size());
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    std::memcpy(signatures[i].bytes, answer->signatures[i].data(), sizeof signatures[i].bytes);
  }
  done(ctx, PX_OK, {}, &key, signatures.data(), signatures.size());
}

sdk::Result<SignCall> call_of(px_str scope, px_signing_purpose purpose, px_str key_id,
                              const px_bytes* messages, uint64_t count) {
  const auto known = purpose_of(purpose);
  if (sdk::Status good = check_scope(sdk::view(scope)); !good.ok()) {
    return good.error();
  }
  if (!known || count == 0 || count > kMaxMessages) {
    return sdk::Error{sdk::Code::invalid_argument, "invalid_sign_request",
                      "A known purpose and 1 to 256 messages are needed."};
  }
  SignCall call{std::string(sdk::view(scope)), *known, std::string(sdk::view(key_id)), {}};
  for (uint64_t i = 0; i < count; ++i) {
    if (messages[i].len > kMaxMessageBytes) {
      return sdk::Error{sdk::Code::invalid_argument, "message_too_large",
                        "A message has at most 60 KiB."};
    }
    call.messages.emplace_back(sdk::view(messages[i]));
  }
  return call;
}

}  // namespace

SigningPort::SigningPort()
    : table_{{sizeof(px_signing), 1, this},
             &active_key,
             &sign,
             &open_rotation,
             &close_rotation,
             &last_checkpoint} {}

void SigningPort::open(KeyService& service) {
  service_ = &service;
}

void SigningPort::close() {
  service_ = nullptr;
}

px_status SigningPort::active_key(void* self, px_str scope, px_signing_purpose purpose,
                                  px_public_key* out, char* id_buffer, uint64_t id_capacity,
                                  px_error* err) noexcept {
  return sdk::guard(err, [&]() -> sdk::Status {
    KeyService* service = static_cast<SigningPort*>(self)->service_;
    const auto known = purpose_of(purpose);
    if (service == nullptr) {
      return closed();
    }
    if (sdk::Status good = check_scope(sdk::view(scope)); !good.ok() || !known) {
      return good.ok() ? sdk::Error{sdk::Code::invalid_argument, "invalid_purpose",
                                    "The purpose is not known."}
                       : good.error();
    }
    const auto key = service->active_key(std::string(sdk::view(scope)));
    if (!key.ok()) {
      return key.error();
    }
    if (key->key_id.size() > id_capacity) {
      return sdk::Error{sdk::Code::invalid_argument, "buffer_too_small",
                        "The buffer for the key id needs 128 bytes."};
    }
    *out = wire_key(key->key_id, key->public_key(*known));
    std::memcpy(id_buffer, key->key_id.data(), key->key_id.size());
    out->key_id = {id_buffer, key->key_id.size()};
    return {};
  });
}

void SigningPort::sign(void* self, px_str scope, px_signing_purpose purpose, px_str key_id,
                       const px_bytes* messages, uint64_t count, px_sign_done done,
                       void* ctx) noexcept {
  try {
    KeyService* service = static_cast<SigningPort*>(self)->service_;
    auto call = service == nullptr ? sdk::Result<SignCall>(closed())
                                   : call_of(scope, purpose, key_id, messages, count);
    if (!call.ok()) {
      finish_sign(done, ctx, call.error());
      return;
    }
    service->sign(std::move(*call), [done, ctx](const sdk::Result<SignAnswer>& answer) {
      finish_sign(done, ctx, answer);
    });
  } catch (...) {
    done(ctx, PX_INTERNAL, {}, nullptr, nullptr, 0);
  }
}

void SigningPort::open_rotation(void* self, px_str scope, px_rotation_done done,
                                void* ctx) noexcept {
  try {
    KeyService* service = static_cast<SigningPort*>(self)->service_;
    const sdk::Status good = check_scope(sdk::view(scope));
    if (service == nullptr || !good.ok()) {
      finish_rotation(done, ctx, service == nullptr ? closed() : good.error());
      return;
    }
    service->open_rotation(std::string(sdk::view(scope)),
                           [done, ctx](const auto& key) { finish_rotation(done, ctx, key); });
  } catch (...) {
    done(ctx, PX_INTERNAL, {}, nullptr);
  }
}

void SigningPort::last_checkpoint(void* self, px_str scope, px_last_checkpoint_done done,
                                  void* ctx) noexcept {
  try {
    KeyService* service = static_cast<SigningPort*>(self)->service_;
    const sdk::Status good = check_scope(sdk::view(scope));
    if (service == nullptr || !good.ok()) {
      finish_last(done, ctx, service == nullptr ? closed() : good.error());
      return;
    }
    service->last_checkpoint(std::string(sdk::view(scope)),
                             [done, ctx](const auto& last) { finish_last(done, ctx, last); });
  } catch (...) {
    done(ctx, PX_INTERNAL, {}, nullptr);
  }
}

void SigningPort::close_rotation(void* self, px_str scope, px_rotation_done done,
                                 void* ctx) noexcept {
  try {
    KeyService* service = static_cast<SigningPort*>(self)->service_;
    const sdk::Status good = check_scope(sdk::view(scope));
    if (service == nullptr || !good.ok()) {
      finish_rotation(done, ctx, service == nullptr ? closed() : good.error());
      return;
    }
    service->close_rotation(std::string(sdk::view(scope)),
                            [done, ctx](const auto& key) { finish_rotation(done, ctx, key); });
  } catch (...) {
    done(ctx, PX_INTERNAL, {}, nullptr);
  }
}

}  // namespace plexsphere::signing_client
