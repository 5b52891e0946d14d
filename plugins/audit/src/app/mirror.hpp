// The object store that entries are copied to, asked for many objects at once.
//
// Every call blocks on the network, at most as long as one request's deadline for each kind of
// request it makes; `stop` is asked meanwhile, and once true what is still under way counts as
// failed. Thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/archive_settings.hpp"
#include "app/projection.hpp"
#include "plexsphere/sdk/egress.hpp"
#include "plexsphere/sdk/time.hpp"

namespace plexsphere::audit {

class Mirror {
 public:
  using Stop = std::function<bool()>;

  Mirror(sdk::Egress egress, const ArchiveSettings& settings)
      : egress_(egress), settings_(settings) {}

  struct Object {
    std::string etag;  // without its quotes
    std::string body;
  };
  // One outcome for each key, in order: the object, nothing where there is none, or why that is not
  // known: UNAVAILABLE "mirror_refused" with what the store answered, or the egress's own errors.
  std::vector<sdk::Result<std::optional<Object>>> get(const std::vector<std::string>& keys,
                                                      const Stop& stop) const;

  enum class Copy {
    stored,   // by this call, or by one before it: the object says what the entry says
    differs,  // an object of that key says something else; it is left as it is
    failed,
  };
  struct Copied {
    Copy state = Copy::failed;
    std::string etag;                    // of stored
    std::optional<ArchivedEntry> found;  // of differs, where it can be read
    sdk::Error error;                    // of failed
  };
  // Puts the entries of one chain there, each locked for the chain's retention from `now` on. Looks
  // first, and puts only what is not there.
  std::vector<Copied> copy(const std::vector<ArchivedEntry>& entries, sdk::Instant now,
                           const Stop& stop) const;

 private:
  sdk::EgressRequest request(const char* method, const std::string& key) const;
  std::vector<sdk::Result<sdk::EgressResponse>> ask(const std::vector<sdk::EgressRequest>& requests,
                                                    const Stop& stop) const;
  std::vector<sdk::Result<sdk::EgressResponse>> look(const std::vector<ArchivedEntry>& entries,
                                                     const Stop& stop) const;
  void put(const std::vector<ArchivedEntry>& entries, sdk::Instant now, const Stop& stop,
           std::vector<Copied>& out, std::vector<std::size_t>& there) const;
  void compare(const std::vector<ArchivedEntry>& entries, const std::vector<std::size_t>& which,
               const Stop& stop, std::vector<Copied>& out) const;

  const sdk::Egress egress_;
  const ArchiveSettings settings_;
};

}  // namespace plexsphere::audit
