// One entry of a chain as it is hashed, and the only encoder of it.
//
// Canonical bytes, version 1: one JSON object in UTF-8 without white space, members always present
// and always in this order:
//   v, chain, seq, occurred_at, reason, relation, object_type, object_id, subject_pseudonym,
//   correlation_id, relation_path, caveat_context, request_context_hash
// Integers only; the time is RFC 3339 in UTC with exactly six fraction digits; byte strings are
// lower-case hex; strings escape '"', '\' and control characters only (\b \f \n \r \t, else \u00xx
// in lower case); members and items of caveat_context are sorted by their bytes; what is absent is
// null. The append function puts the decimal `seq` between head and tail.
//
// Pure and thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plexsphere::audit {

// Text must be UTF-8 without NUL (see text.hpp).
struct Record {
  std::string chain;  // anchor of the chain: lower-case UUID text
  std::chrono::sys_time<std::chrono::microseconds> occurred_at;
  std::string reason;  // granted, out_of_scope, insufficient_relation, caveat_violation or unknown
  std::string relation;
  std::string object_type;
  std::string object_id;
  std::string subject_pseudonym;  // 64 hex digits
  std::string correlation_id;
  std::vector<std::string> relation_path;                       // in walk order
  std::map<std::string, std::set<std::string>> caveat_context;  // caveat → parameter names
  std::optional<std::string> request_context_hash;              // 64 hex digits
};

// head ‖ decimal seq ‖ tail are the canonical bytes.
struct Canonical {
  std::string head;
  std::string tail;
};

[[nodiscard]] Canonical encode(const Record& record);

// RFC 3339 in UTC with exactly six fraction digits; for years that have no four digits, text that
// is no time.
[[nodiscard]] std::string canonical_time(std::chrono::sys_time<std::chrono::microseconds> instant);

// The head that every entry of `chain` begins with.
[[nodiscard]] std::string canonical_head(const std::string& chain);

}  // namespace plexsphere::audit
