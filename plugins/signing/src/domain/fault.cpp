#include "domain/fault.hpp"

namespace plexsphere::signing {
namespace {

// Numbers of the canonical status codes (google/rpc/code.proto).
constexpr int kInvalidArgument = 3;
constexpr int kNotFound = 5;
constexpr int kPermissionDenied = 7;
constexpr int kFailedPrecondition = 9;
constexpr int kInternalError = 13;
constexpr int kUnavailable = 14;

struct Row {
  FaultKind kind;
  int code;
  std::string_view detail;
};

constexpr Row kTable[] = {
    {FaultKind::kProviderUnavailable, kUnavailable, "signing: key provider unavailable"},
    {FaultKind::kKeyRetired, kFailedPrecondition, "signing: key retired"},
    {FaultKind::kRotationInProgress, kFailedPrecondition, "signing: rotation in progress"},
    {FaultKind::kKeyNotFound, kNotFound, "signing: key not found"},
    {FaultKind::kScopeMismatch, kNotFound, "signing: scope mismatch"},
    {FaultKind::kInvariantViolation, kInvalidArgument, "signing: invariant violation"},
    {FaultKind::kPeerDenied, kPermissionDenied, "signing: peer identity denied"},
    {FaultKind::kKeySetSuperseded, kFailedPrecondition, "signing: key set superseded"},
    {FaultKind::kKeySetRejected, kInvalidArgument, "signing: key set rejected"},
    {FaultKind::kMemoryEmpty, kFailedPrecondition, "signing: key set not adopted"},
    {FaultKind::kCheckpointRegressed, kFailedPrecondition, "signing: checkpoint regressed"},
    {FaultKind::kCheckpointUnseen, kFailedPrecondition, "signing: checkpoint not adopted"},
    {FaultKind::kRestoreNotPermitted, kFailedPrecondition, "signing: restore not permitted"},
    {FaultKind::kJournalUnavailable, kUnavailable, "signing: journal unavailable"},
    {FaultKind::kInternal, kInternalError, "signing: internal error"},
};

const Row& find(FaultKind kind) {
  for (const Row& row : kTable) {
    if (row.kind == kind) {
      return row;
    }
  }
  return kTable[std::size(kTable) - 1];
}

}  // namespace

int canonical_code(FaultKind kind) {
  return find(kind).code;
}

std::string_view status_detail(FaultKind kind) {
  return find(kind).detail;
}

}  // namespace plexsphere::signing
