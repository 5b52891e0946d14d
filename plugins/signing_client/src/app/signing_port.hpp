// px.signing/1 on the wire: the C table over KeyService.
//
// Thread safety: as the table says. Must live until the process ends.
#pragma once

#include <atomic>

#include "app/key_service.hpp"
#include "plexsphere/abi/ports/signing.h"

namespace plexsphere::signing_client {

class SigningPort {
 public:
  SigningPort();
  SigningPort(const SigningPort&) = delete;
  SigningPort& operator=(const SigningPort&) = delete;

  // Before and after, every call answers UNAVAILABLE, reason "signing_unavailable". The service
  // must outlive every call that began before `close` returned.
  void open(KeyService& service);
  void close();

  const px_table* table() const { return &table_.base; }

 private:
  static px_status active_key(void* self, px_str scope, px_signing_purpose purpose,
                              px_public_key* out, char* id_buffer, uint64_t id_capacity,
                              px_error* err) noexcept;
  static void sign(void* self, px_str scope, px_signing_purpose purpose, px_str key_id,
                   const px_bytes* messages, uint64_t count, px_sign_done done, void* ctx) noexcept;
  static void open_rotation(void* self, px_str scope, px_rotation_done done, void* ctx) noexcept;
  static void close_rotation(void* self, px_str scope, px_rotation_done done, void* ctx) noexcept;
  static void last_checkpoint(void* self, px_str scope, px_last_checkpoint_done done,
                              void* ctx) noexcept;

  px_signing table_;
  std::atomic<KeyService*> service_{nullptr};
};

}  // namespace plexsphere::signing_client
