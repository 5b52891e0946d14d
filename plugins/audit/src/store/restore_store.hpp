// Requests to bring entries back, and the function that proves what is brought. Declared once in
// configure; afterwards any thread, every call blocks on the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plexsphere/sdk/store.hpp"
#include "store/archive_store.hpp"

namespace plexsphere::audit {

struct RestoreRequest {
  sdk::Uuid id;
  sdk::Uuid chain;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string requested_by;
  std::int64_t restored = 0;
};

// An entry as it came from the mirror, with the name of its object there.
struct BroughtEntry {
  ArchivedEntry entry;
  std::string etag;
};

class RestoreStore {
 public:
  RestoreStore() = default;
  // [init]
  static sdk::Result<RestoreStore> declare(const sdk::Store& store);

  // The oldest that is open.
  sdk::Result<std::optional<RestoreRequest>> open() const;
  // Numbers of the window that no stored entry has, the last first.
  sdk::Result<std::vector<std::int64_t>> missing(const RestoreRequest& request,
                                                 std::int64_t limit) const;
  // FAILED_PRECONDITION with the function's word, "audit_restore_…", for what cannot be proved.
  sdk::Status insert(const sdk::Transaction& tx, const RestoreRequest& request,
                     const std::vector<BroughtEntry>& entries) const;
  // Ends the request as "restored" or "refused".
  sdk::Status end(const sdk::Transaction& tx, const RestoreRequest& request,
                  std::string_view outcome, std::string_view detail) const;
  // What keeps an open request from going on.
  sdk::Status tell(const sdk::Transaction& tx, const RestoreRequest& request,
                   std::string_view detail) const;

 private:
  sdk::Store store_;
  sdk::Statement open_;
  sdk::Statement missing_;
  sdk::Statement insert_;
  sdk::Statement end_;
  sdk::Statement tell_;
};

}  // namespace plexsphere::audit
