// How long tokens tagged with the previous key are taken: a day from when the present version was
// first in use anywhere. A token lives for a day at most, so none that is alive is lost, and
// whoever has come by the old key makes no tag that is worth a look-up any more.
//
// The sweep puts a version on record, so the day begins with the first sweep under it. Versions
// only go up: one that was in use before keeps its old time.
//
// Thread safety: any thread, after configure; note() on the job's. Blocks on the database until the
// version is known to be on record.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "plexsphere/sdk/jobs.hpp"
#include "plexsphere/sdk/services.hpp"
#include "store/tag_key_store.hpp"

namespace plexsphere::identity {

class TagKeys {
 public:
  static constexpr std::chrono::hours kPreviousTaken{24};

  TagKeys(const TagKeyStore& versions, std::int64_t version, sdk::Clock clock)
      : versions_(versions), version_(version), clock_(clock) {}

  // Puts the version on record, unless it is.
  sdk::Status note(const sdk::JobRun& run);
  // Whether the previous key's tags are still taken. UNAVAILABLE when the database cannot say.
  sdk::Result<bool> takes_previous();

 private:
  sdk::Result<std::optional<sdk::Instant>> since();

  const TagKeyStore& versions_;
  const std::int64_t version_;
  const sdk::Clock clock_;
  std::mutex mutex_;
  std::optional<sdk::Instant> since_;  // under mutex_; nothing: not known yet
};

}  // namespace plexsphere::identity
