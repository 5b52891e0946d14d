// How a command ends when it does not end well, and with which exit code. Values, any thread.
#pragma once

#include <stdexcept>
#include <string>

namespace plexsphere::plexctl {

// Scripts branch on these; they do not change.
enum class ExitCode : int {
  ok = 0,
  failed = 1,   // the API refused for a reason without a code of its own, or answered nonsense
  invalid = 2,  // a flag, a setting or a file here is wrong; nothing was sent
  unauthenticated = 3,  // 401
  not_found = 4,        // 404
  conflict = 5,         // 409
  unavailable = 6,      // no answer, or 501, 502, 503, 504
  // Of `audit verify` and `audit prove`.
  tampered = 10,    // entries or notes are not what was signed
  truncated = 11,   // entries that a checkpoint covers are missing at the end
  incomplete = 12,  // something else that verifying needs is missing
  restored = 13,    // all holds, and the chain was set back to an earlier point, as declared
  denied = 77       // 403
};

class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

// For a status that is not 2xx.
ExitCode exit_code_of(int http_status) noexcept;

// What there is to say of an answer that is not 2xx: "<request> answered 403 permission_denied:
// <detail> (correlation id <id>)". `body` is a problem document (RFC 9457) or anything else, of
// which nothing is shown; `correlation_id` is the header's and counts when the body has none.
Failure failure_of(const std::string& request, int status, const std::string& body,
                   const std::string& correlation_id);

}  // namespace plexsphere::plexctl
