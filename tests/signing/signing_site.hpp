// A core whose record of keys is read afresh for every call, a signer, and what a test does with
// both.
#pragma once

#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core_in_process.hpp"
#include "plexsphere/sdk/ports/signing.hpp"
#include "plexsphere/sdk/uuid.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::signing_site {

using namespace std::chrono_literals;

inline std::string event_under(const std::string& key_id) {
  return R"({"id":"e","type":"node_state_updated","scope":"node:1","key_id":")" + key_id +
         R"(","issued_at":"2026-01-15T10:30:00Z","payload":{}})";
}

// "done", or the reason of the refusal.
template <class T>
std::string outcome(const sdk::Result<T>& result) {
  return result.ok() ? "done" : result.error().reason;
}

// Waits for the one completion of a call.
template <class T, class Start>
sdk::Result<T> result_of(Start start) {
  auto promise = std::make_shared<std::promise<sdk::Result<T>>>();
  auto future = promise->get_future();
  start([promise](const sdk::Result<T>& result) { promise->set_value(result); });
  REQUIRE(future.wait_for(60s) == std::future_status::ready);
  return future.get();
}

// A core whose record is read afresh for every call.
class Site {
 public:
  Site() : core_(deployment, "[context.signing_client]\ncache = \"0s\"\n") {}

  const sdk::Signing& signing() const { return signing_; }
  e2e::CoreInProcess& core() { return core_; }

  sdk::Result<sdk::PublicKey> open(const std::string& scope) {
    return result_of<sdk::PublicKey>(
        [&](auto done) { signing_.open_rotation(scope, std::move(done)); });
  }
  sdk::Result<sdk::PublicKey> close(const std::string& scope) {
    return result_of<sdk::PublicKey>(
        [&](auto done) { signing_.close_rotation(scope, std::move(done)); });
  }
  sdk::Result<sdk::Signatures> sign(const std::string& scope, const std::string& named,
                                    const std::string& in_message) {
    const std::vector<std::string> messages{event_under(in_message)};
    return result_of<sdk::Signatures>(
        [&](auto done) { signing_.sign(scope, PX_SIGN_EVENT, named, messages, std::move(done)); });
  }
  // The same, so often until the signer has been found again.
  sdk::Result<sdk::Signatures> sign_patiently(const std::string& scope, const std::string& named,
                                              const std::string& in_message) {
    std::optional<sdk::Result<sdk::Signatures>> last;
    (void)test_support::wait_until(20s, [&] {
      last = sign(scope, named, in_message);
      return outcome(*last) != "signing_unavailable";
    });
    return *last;
  }

  std::string sql(const std::string& text) {
    return deployment.postgres().query(text, "plexsphere");
  }
  std::string numbers(const std::string& scope) {
    return sql(
        "SELECT string_agg(number::text, ' ' ORDER BY number) FROM "
        "signing_client.key_set WHERE scope = '" +
        scope + "'");
  }
  std::string audited(const std::string& domain, const std::string& action) {
    return sql("SELECT count(*) FROM audit.audit_log_entry WHERE domain_id = '" + domain +
               "' AND relation = '" + action + "'");
  }
  // What a restored backup, or a hostile administrator, leaves behind.
  void forget_newest(const std::string& scope) {
    sql("DELETE FROM signing_client.key_set WHERE scope = '" + scope +
        "' AND number = (SELECT max(number) FROM signing_client.key_set WHERE scope = '" + scope +
        "')");
  }

  e2e::Deployment deployment;

 private:
  e2e::CoreInProcess core_;
  sdk::Signing signing_{reinterpret_cast<const px_signing*>(core_.port("px.signing/1"))};
};

inline std::string fresh_domain() {
  return sdk::Uuid::v7(1'800'000'000'000).text();
}

}  // namespace plexsphere::signing_site
