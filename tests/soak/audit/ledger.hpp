// What clients did and what they were told: the side of the story that a crash cannot change.
//
// Thread-safe. Owns its attempts.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plexsphere::soak {

inline constexpr std::string_view kPlatformChain = "00000000-0000-7000-8000-000000000001";

// Changes first, then decisions without a change.
enum class Kind { kDomain, kProject, kToken, kGranted, kDenied, kReadBack };

// The relation of a change's row; empty for what changes nothing.
std::string_view change_of(Kind kind);

// An entry as the API showed it.
struct Place {
  std::string chain;
  std::int64_t seq = 0;
  std::string hash;  // 64 hex digits

  bool operator==(const Place&) const = default;
};

// One request, sent once.
struct Attempt {
  Kind kind = Kind::kGranted;
  std::string correlation;  // the client's own, so that it is known without an answer
  std::string chain;        // where the decision belongs
  std::string object;       // what the answer to a change named
  int status = 0;           // 0: no answer came

  // Told that it is done, or that it is refused: either is on record from then on.
  bool acknowledged() const;
  // The entries in `chain` that an acknowledged one has.
  std::size_t entries() const;
};

class Ledger {
 public:
  void note(Attempt attempt);
  // What the API showed right after an answer, of one attempt in one chain.
  struct Seen {
    std::string correlation;
    std::string chain;
    std::vector<Place> places;
  };
  void note(Seen seen);

  struct Page {
    std::vector<Attempt> attempts;
    std::vector<Seen> seen;
  };
  // What was noted since the last call.
  Page take();

 private:
  std::mutex mutex_;
  Page page_;  // under mutex_
};

}  // namespace plexsphere::soak
