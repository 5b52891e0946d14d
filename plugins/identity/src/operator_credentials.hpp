// The part of identity that operators and machines sign in with, put together: API tokens, service
// identities, access tokens, whoami, and who presents such a bearer.
//
// Made and configured on the main thread; its routes and jobs run on any. Owns its stores and
// services, which live until the process ends.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "app/api_token_service.hpp"
#include "app/break_glass.hpp"
#include "app/last_use.hpp"
#include "app/mint_rate.hpp"
#include "app/operator_authentication.hpp"
#include "app/relation_gate.hpp"
#include "app/service_identities.hpp"
#include "app/service_sign_in.hpp"
#include "app/trust_bundle.hpp"
#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/plugin.hpp"
#include "plexsphere/sdk/router.hpp"

namespace plexsphere::identity {

class OperatorCredentials {
 public:
  // What types and bounds of the keys cannot say. Pure.
  static sdk::Status validate(const sdk::Config& config);

  // [init] Declares, adds routes and jobs; the caller then offers authentication() as a part of
  // px.authn.
  sdk::Status configure(const sdk::Host& host);
  OperatorAuthentication& authentication() { return *authentication_; }
  void start();
  void stop();

 private:
  struct Settings {
    ApiTokenPolicy tokens;
    SignInPolicy sign_in;
    std::size_t check_capacity = 0;
    std::int64_t tokens_a_minute = 0;
    std::int64_t tokens_at_once = 0;
    std::chrono::milliseconds sweep_interval{};
    std::filesystem::path bundle_file;  // empty: none
    std::string trust_domain;
  };
  static sdk::Result<Settings> read_settings(const sdk::Config& config);

  sdk::Status fetch(const sdk::Host& host);
  void make_services(const Settings& settings);
  sdk::Status resolve_residency();
  sdk::Status declare();
  sdk::Status add_routes();
  sdk::Status add_jobs(const Settings& settings);

  ServiceIdentityPorts ports_;
  sdk::Log log_;
  sdk::Verify verify_;
  sdk::Jobs jobs_;
  sdk::Router router_;
  sdk::Config config_;
  sdk::Metrics metrics_;

  OperatorStore operators_;
  BreakGlassStore made_outside_;
  ApiTokenStore tokens_;
  ServiceIdentityStore identities_;

  std::unique_ptr<BreakGlass> break_glass_;
  std::unique_ptr<LastUse> uses_;
  std::unique_ptr<OperatorAuthentication> authentication_;
  std::unique_ptr<RelationGate> gate_;
  std::unique_ptr<TrustBundle> bundle_;
  std::unique_ptr<ApiTokenService> token_service_;
  std::unique_ptr<MintRate> minting_;
  std::unique_ptr<ServiceIdentities> identity_service_;
  std::unique_ptr<ServiceSignIn> sign_in_;
};

}  // namespace plexsphere::identity
