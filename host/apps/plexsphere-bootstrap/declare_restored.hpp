// Asks a running core to declare an audit chain restored to an earlier point, shows the statement
// that the signer's operator has to permit, and waits until it is signed. The request is a row that
// only the database's administrator can write, and worth nothing without the signer's permit.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace plexsphere::host::apps {

struct DeclareRequest {
  std::string chain;   // a Domain's id, or the platform's anchor
  std::string reason;  // 1 to 200 printable ASCII characters; stands in the statement
  std::chrono::seconds wait{600};
};

struct DeclareAnswer {
  std::string id;         // of the request
  std::string statement;  // empty: not drafted yet
  std::string outcome;    // "declared", "refused", or empty: it is still open
  std::string detail;     // what was declared, why not, or what keeps it from going on
};

// Goes on with the chain's open request where there is one. `drafted` is called once the statement
// is there. Throws StoreError: PX_INVALID_ARGUMENT "chain" or "reason"; PX_FAILED_PRECONDITION
// "not_migrated".
[[nodiscard]] DeclareAnswer declare_restored(
    const std::string& admin_dsn, const DeclareRequest& request,
    const std::function<void(const DeclareAnswer&)>& drafted);

}  // namespace plexsphere::host::apps
