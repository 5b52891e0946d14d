// What stands outside the chains and must fit them: the mirror's objects and the signed
// checkpoints.
//
// Not thread-safe. Views the site.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "soak/audit/chains.hpp"
#include "soak/audit/site.hpp"

namespace plexsphere::soak {

class Evidence {
 public:
  explicit Evidence(AuditSite& site) : site_(&site) {}

  // Waits until every entry is stamped. Throws when that does not come to pass.
  void wait_until_archived() const;
  // Every object is exactly the entry that its key names, every stamped entry has its object under
  // the name in its stamp, and none was ever put twice.
  void check_mirror(const Chains& chains);
  // Every checkpoint's root is that of the chain's tree at its size, and none that was there is
  // gone or another.
  void check_checkpoints(const Chains& chains);

  std::size_t objects() const { return objects_; }
  std::size_t checkpoints() const { return checkpoints_.size(); }

 private:
  AuditSite* site_;
  std::size_t objects_ = 0;
  std::map<std::pair<std::string, std::uint64_t>, std::string> checkpoints_;  // root, in hex
};

}  // namespace plexsphere::soak
