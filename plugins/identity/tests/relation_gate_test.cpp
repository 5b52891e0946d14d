#include "app/relation_gate.hpp"

#include <catch2/catch.hpp>
#include <future>

using namespace plexsphere;
using namespace plexsphere::identity;

namespace {

// Both ports as the test wants them to answer; a check that is held answers never.
struct Ports {
  px_status authz_status = PX_OK;
  px_reason reason = PX_REASON_GRANTED;
  bool hold = false;
  px_status audit_status = PX_OK;
  std::string audit_reason;
  std::vector<std::pair<px_chain, px_reason>> recorded;
  std::vector<std::pair<px_authz_done, void*>> held;

  px_authz authz{{sizeof(px_authz), 1, this}, &check, nullptr, nullptr, nullptr};
  px_audit audit{{sizeof(px_audit), 1, this}, nullptr, &record, nullptr};

  static void check(void* self, const px_check*, px_authz_done done, void* ctx) {
    auto& ports = *static_cast<Ports*>(self);
    if (ports.hold) {
      ports.held.emplace_back(done, ctx);
      return;
    }
    ports.answer(done, ctx);
  }
  void answer(px_authz_done done, void* ctx) const {
    const px_decision decision{sizeof(px_decision), reason, nullptr, 0};
    done(ctx, authz_status, &decision);
  }
  static void record(void* self, const px_audit_entry* entry, px_audit_done done, void* ctx) {
    auto& ports = *static_cast<Ports*>(self);
    ports.recorded.emplace_back(entry->chain, entry->reason);
    done(ctx, ports.audit_status, sdk::to_wire(ports.audit_reason));
  }
};

constexpr std::size_t kCapacity = 3;

struct Rig {
  Rig() { gate.start(); }
  ~Rig() { gate.stop(); }
  GateResult pass(const sdk::Uuid& domain_id = {}) {
    std::promise<GateResult> result;
    gate.pass({"user", domain_id, {}}, {}, "manage", domain_or_platform(domain_id),
              [&](const GateResult& outcome) { result.set_value(outcome); });
    return result.get_future().get();
  }
  Ports ports;
  RelationGate gate{sdk::Authz(&ports.authz), sdk::Audit(&ports.audit), kCapacity};
};

const sdk::Uuid kDomain = *sdk::Uuid::parse("0197c0de-1111-7222-8333-444455556666");

}  // namespace

TEST_CASE("a decision is on record before it is acted upon", "[identity]") {
  Rig rig;
  CHECK(*rig.pass() == PX_REASON_GRANTED);
  CHECK(rig.ports.recorded.back() ==
        std::pair<px_chain, px_reason>(PX_CHAIN_PLATFORM, PX_REASON_GRANTED));
  rig.ports.reason = PX_REASON_INSUFFICIENT_RELATION;
  CHECK(*rig.pass(kDomain) == PX_REASON_INSUFFICIENT_RELATION);
  CHECK(rig.ports.recorded.back() ==
        std::pair<px_chain, px_reason>(PX_CHAIN_RESOLVE, PX_REASON_INSUFFICIENT_RELATION));
}

TEST_CASE("what cannot be decided or recorded is no permission", "[identity]") {
  Rig rig;
  rig.ports.audit_status = PX_UNAVAILABLE;
  CHECK(rig.pass().error().reason == "audit_unavailable");
  rig.ports.audit_status = PX_FAILED_PRECONDITION;
  rig.ports.audit_reason = "domain_unresolved";
  CHECK(*rig.pass(kDomain) == PX_REASON_OUT_OF_SCOPE);
  rig.ports.reason = PX_REASON_UNKNOWN;
  CHECK(rig.pass().error().reason == "authz_unavailable");
  rig.ports.authz_status = PX_UNAVAILABLE;
  CHECK(rig.pass().error().reason == "authz_unavailable");
}

TEST_CASE("checks that wait are bounded", "[identity]") {
  Rig rig;
  rig.ports.hold = true;
  std::atomic<int> granted{0};
  for (std::size_t i = 0; i < kCapacity; ++i) {
    rig.gate.pass({"user", kDomain, {}}, {}, "manage", domain_or_platform({}),
                  [&](const GateResult& outcome) { granted += outcome.ok() ? 1 : 0; });
  }
  CHECK(rig.pass().error().reason == "identity_overloaded");
  for (const auto& [done, ctx] : rig.ports.held) {
    rig.ports.answer(done, ctx);
  }
  rig.gate.stop();
  CHECK(granted == static_cast<int>(kCapacity));
  rig.gate.start();
  rig.ports.hold = false;
  CHECK(rig.pass().ok());
}
