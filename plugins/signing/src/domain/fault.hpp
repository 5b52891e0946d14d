// What can go wrong in the signer, as a closed set, with the exact words each fault has on the
// wire.
//
// Thread safety: values; the functions are pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace plexsphere::signing {

// One entry per status string of the signer's contract. Runbooks compare these strings byte by
// byte.
enum class FaultKind {
  kProviderUnavailable,  // the key store did not answer; retry later
  kKeyRetired,           // the key may verify but no longer sign
  kRotationInProgress,   // a rotation is open: no second one, and no early close
  kKeyNotFound,          // no such key, or no key at all, in the scope
  kScopeMismatch,        // a document or message belongs to another scope
  kInvariantViolation,   // malformed input, or the deployment profile refuses the scope
  kPeerDenied,           // the caller is authenticated but not on the list
  kKeySetSuperseded,     // a newer key set of this scope has been seen; fetch it by PublicKey
  kKeySetRejected,       // not signed by this signer, or not canonical
  kMemoryEmpty,          // the signer has never seen this scope and was not told to adopt
  kCheckpointRegressed,  // a larger checkpoint of this scope was signed, or another of this size
  kCheckpointUnseen,     // no checkpoint of the scope is remembered and the signer may not adopt
  kRestoreNotPermitted,  // the signer's operator has not permitted this statement of a restore
  kJournalUnavailable,   // the call could not be put on the signer's record, so it is not answered
  kInternal,             // the signer's own state could not be read or written
};

// A fault and its cause. `cause` is for operators: it never holds key material.
struct Fault {
  FaultKind kind;
  std::string cause;
};

// The canonical status code number shared by gRPC and the plugin wire.
[[nodiscard]] int canonical_code(FaultKind kind);

// The status message of the wire contract.
[[nodiscard]] std::string_view status_detail(FaultKind kind);

// Either a value or the fault that kept it from existing. Domain code uses nothing but the standard
// library, hence this small type of its own.
template <class T>
class [[nodiscard]] Outcome {
 public:
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Outcome(Fault fault) : state_(std::in_place_index<1>, std::move(fault)) {}

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  [[nodiscard]] const Fault& fault() const { return std::get<1>(state_); }

 private:
  std::variant<T, Fault> state_;
};

// Success without a value.
struct Done {};

}  // namespace plexsphere::signing
