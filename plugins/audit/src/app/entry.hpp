// An entry as px.audit received it: copied, checked, cleaned; and the row it becomes in a chain.
// Value types, any thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "plexsphere/abi/ports/audit.h"
#include "plexsphere/sdk/status.hpp"
#include "plexsphere/sdk/time.hpp"
#include "plexsphere/sdk/uuid.hpp"

namespace plexsphere::audit {

// The anchor of the platform's chain. A version 7 UUID of the year 1970: no generated id collides.
[[nodiscard]] const sdk::Uuid& platform_anchor();

// Bounds of an entry, in bytes. Longer is refused with "invalid_entry", except the user agent,
// which its sender chooses and which is cut.
struct EntryLimits {
  static constexpr std::size_t kName = 128;  // relation, types, correlation id, caveat names
  static constexpr std::size_t kId = 512;    // object and subject ids
  static constexpr std::size_t kPathSteps = 64;
  static constexpr std::size_t kPathStep = 512;
  static constexpr std::size_t kCaveats = 32;
  static constexpr std::size_t kCaveatParameters = 1024;
  static constexpr std::size_t kUserAgent = 512;
};

struct Entry {
  px_chain chain = PX_CHAIN_RESOLVE;
  sdk::Uuid domain_id;
  px_reason reason = PX_REASON_UNKNOWN;
  bool subject_is_platform = false;
  std::string subject_type;
  std::string subject_id;
  std::string subject_bytes;  // 16, see digest.hpp
  sdk::Uuid subject_domain_id;
  std::string relation;
  std::string object_type;
  std::string object_id;
  std::optional<std::string> object_bytes;  // 16, of an object that is a person; see is_person
  std::vector<std::string> relation_path;
  std::map<std::string, std::set<std::string>> caveats;
  std::string correlation_id;  // never empty
  std::string remote_ip;
  std::string user_agent;
  sdk::Instant occurred_at;
};

// Copies and checks. An entry without a correlation id gets one of its own.
// INVALID_ARGUMENT "invalid_entry" or "invalid_subject".
[[nodiscard]] sdk::Result<Entry> copy_entry(const px_audit_entry& wire, sdk::Instant now);

// Objects of these types are persons in the sense of erasure: the chain names them by pseudonym, as
// it does subjects. (Nodes are machines and keep their ids.)
[[nodiscard]] bool is_person(std::string_view object_type);

// What the append function takes.
struct Row {
  sdk::Uuid chain;
  std::string head;
  std::string tail;
  std::string subject_type;
  std::string subject_id;
  std::optional<std::string> salt;
  std::optional<std::string> source_ip;
  std::optional<std::string> user_agent;
  std::optional<std::string> object_person;  // the id of an object that is a person
};

// Encodes `entry` for `chain` under the 32-byte `pseudonym` of its subject. Draws the salt.
// Requires `object_pseudonym`, of `object_bytes`, where the entry has those; throws
// std::logic_error without.
[[nodiscard]] Row make_row(const Entry& entry, const sdk::Uuid& chain, std::string_view pseudonym,
                           const std::optional<std::string>& object_pseudonym = std::nullopt);

}  // namespace plexsphere::audit
