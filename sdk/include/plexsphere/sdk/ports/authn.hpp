// px.authn/1 in C++: the provider's side. Only the host asks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "plexsphere/abi/ports/authn.h"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::sdk::inline v1 {

struct Credential {
  bool accepts_operator = false;
  bool accepts_node = false;
  std::string_view bearer;  // lives for the call
  std::string_view remote_ip;
};

// Derive, and offer table() under kName. Lives until the process ends.
class AuthnProvider {
 public:
  static constexpr std::string_view kName = "px.authn/1";
  using Done = std::function<void(const Result<px_principal>&)>;

  AuthnProvider()
      : table_{{sizeof(px_authn), 1, this},
               [](void* self, const px_credential* c, px_authn_done done, void* ctx) noexcept {
                 const Done finish = [done, ctx](const Result<px_principal>& r) {
                   if (r.ok()) {
                     done(ctx, PX_OK, {}, &r.value());
                   } else {
                     done(ctx, static_cast<px_status>(r.error().code), to_wire(r.error().reason),
                          nullptr);
                   }
                 };
                 try {
                   static_cast<AuthnProvider*>(self)->authenticate(
                       {(c->accepts & PX_ACCEPT_OPERATOR) != 0, (c->accepts & PX_ACCEPT_NODE) != 0,
                        view(c->bearer), view(c->remote_ip)},
                       finish);
                 } catch (...) {
                   // authenticate must not throw after it called done; before, this is the answer.
                   done(ctx, PX_INTERNAL, {}, nullptr);
                 }
               }} {}
  virtual ~AuthnProvider() = default;
  AuthnProvider(const AuthnProvider&) = delete;
  AuthnProvider& operator=(const AuthnProvider&) = delete;

  const px_table* table() const { return &table_.base; }

 protected:
  // Calls `done` exactly once. See plexsphere/abi/ports/authn.h for codes.
  virtual void authenticate(const Credential& credential, Done done) = 0;

 private:
  px_authn table_;
};

}  // namespace plexsphere::sdk::inline v1
