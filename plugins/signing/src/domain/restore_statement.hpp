// The statement by which an operator declares that a log was restored to an earlier point.
//
//   plexsphere/audit/domain:0190a8b8-…             origin; ends in the scope
//   restored
//   epoch 2                                        which begins with it, from 2
//   before 500 CsUYapGGPo4dkMgIAUqom/Xajj7h2fB…   the last checkpoint of the epoch before
//   after 100 1Yp1Xk6P5TzIN1M4OvZ6wQ6H2M4F0Kj…    the checkpoint from which the log goes on
//   declared 1767225600                            Unix seconds
//   reason database restored from the nightly backup
//
// Seven lines, each ended by a newline; one statement has one spelling. The second line is no tree
// size, so that no text reads as both a statement and a checkpoint note, which share a key.
//
// Thread safety: pure functions. Views into the parsed bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "domain/fault.hpp"

namespace plexsphere::signing {

inline constexpr std::size_t kMaxRestoreStatement = 1024;
inline constexpr std::size_t kMaxRestoreReason = 200;

struct TreeHead {
  std::uint64_t size = 0;  // less than 10^18
  std::string_view root;   // base64 of 32 bytes, in its one spelling
  friend bool operator==(const TreeHead&, const TreeHead&) = default;
};

struct RestoreStatement {
  std::string_view origin;
  std::uint64_t epoch = 0;
  TreeHead before;
  TreeHead after;  // not larger than `before`
  std::uint64_t declared_at = 0;
  std::string_view reason;  // 1 to 200 printable ASCII characters, none of them a space at an end
};

[[nodiscard]] Outcome<RestoreStatement> check_restore(std::string_view bytes);

}  // namespace plexsphere::signing
