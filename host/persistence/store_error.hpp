// StoreError: what every failure of the persistence layer becomes.
//
// Thread safety: a value; as safe as any other exception.
// Ownership: owns its text.
// Invariants: `status` is never PX_OK. `reason` is a stable token that may reach a caller; what()
// may quote the server and goes to the log only.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "plexsphere/abi/base.h"

namespace plexsphere::host::persistence {

class StoreError : public std::runtime_error {
 public:
  // `log_text` may contain the server's words; callers across the wire get public_detail() instead.
  StoreError(px_status status, std::string reason, const std::string& log_text,
             std::string sqlstate = {});

  [[nodiscard]] px_status status() const { return status_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  // Five characters of SQLSTATE, or empty when the failure is not the server's.
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }
  // One sentence that fits the status and says nothing of the database.
  [[nodiscard]] std::string_view public_detail() const;
  // True for mistakes of the calling plugin (a wrong statement, a wrong parameter): their text is
  // ours, so it may be shown whole.
  [[nodiscard]] bool is_ours() const { return sqlstate_.empty(); }

 private:
  px_status status_;
  std::string reason_;
  std::string sqlstate_;
};

// Translates libpq's verbose message text, "ERROR:  23505: duplicate key …\nDETAIL: …\nCONSTRAINT
// NAME:  …" (PostgreSQL 15, appendix A for the codes). libpqxx 6 loses the SQLSTATE of several
// classes and every constraint's name, the text has both. libpq writes its labels in the language
// of this process, which never calls setlocale.
//
// Reason: the constraint's name for class 23; the raised message for PX001 and its siblings when it
// is a token of [a-z0-9_]{1,64}; otherwise a token of ours such as "lock_timeout". what() keeps the
// whole text for wrong statements; where the server quotes values (classes 22 and 23) it does not,
// since a value may be a secret.
[[nodiscard]] StoreError error_from_message(std::string_view message);

}  // namespace plexsphere::host::persistence
