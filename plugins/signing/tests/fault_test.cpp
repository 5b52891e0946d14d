#include "domain/fault.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::signing {
namespace {

TEST_CASE("every fault has the status code and the exact words of the contract", "[signing]") {
  const struct {
    FaultKind kind;
    int code;
    std::string_view detail;
  } rows[] = {
      {FaultKind::kProviderUnavailable, 14, "signing: key provider unavailable"},
      {FaultKind::kKeyRetired, 9, "signing: key retired"},
      {FaultKind::kRotationInProgress, 9, "signing: rotation in progress"},
      {FaultKind::kKeyNotFound, 5, "signing: key not found"},
      {FaultKind::kScopeMismatch, 5, "signing: scope mismatch"},
      {FaultKind::kInvariantViolation, 3, "signing: invariant violation"},
      {FaultKind::kPeerDenied, 7, "signing: peer identity denied"},
      {FaultKind::kKeySetSuperseded, 9, "signing: key set superseded"},
      {FaultKind::kKeySetRejected, 3, "signing: key set rejected"},
      {FaultKind::kMemoryEmpty, 9, "signing: key set not adopted"},
      {FaultKind::kCheckpointRegressed, 9, "signing: checkpoint regressed"},
      {FaultKind::kCheckpointUnseen, 9, "signing: checkpoint not adopted"},
      {FaultKind::kRestoreNotPermitted, 9, "signing: restore not permitted"},
      {FaultKind::kJournalUnavailable, 14, "signing: journal unavailable"},
      {FaultKind::kInternal, 13, "signing: internal error"},
  };
  for (const auto& row : rows) {
    CHECK(canonical_code(row.kind) == row.code);
    CHECK(status_detail(row.kind) == row.detail);
  }
}

}  // namespace
}  // namespace plexsphere::signing
