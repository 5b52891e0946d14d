// RFC 9457 problem documents, in the contract's shape.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/http/message.hpp"

namespace plexsphere::host::http {

struct Problem {
  int status = 500;
  std::string code;     // lower_snake_case, from the catalogue
  std::string detail;   // one sentence, safe to show
  std::string members;  // further members as one JSON object, or empty
  Headers headers;
};

// Why a relation check said no, in the contract's words.
struct Denial {
  std::string reason;  // out_of_scope, insufficient_relation or caveat_violation
  std::vector<std::string> relation_path;
  std::string code = "permission_denied";
  std::string detail = "You are not permitted to do this.";
};

// "https://plexsphere.com/errors/token-consumed" for "token_consumed".
std::string problem_type(std::string_view code);

// type, title, status, detail, instance, code, correlation_id and `members`, which cannot replace
// any of these. Members that are no JSON object are dropped; `members_dropped` (may be null) tells.
Response render(const Problem& problem, std::string_view instance, std::string_view correlation_id,
                bool* members_dropped = nullptr);

// The 403 body of a relation check: PermissionDenied.
Response render(const Denial& denial, std::string_view instance, std::string_view correlation_id);

}  // namespace plexsphere::host::http
