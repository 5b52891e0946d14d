// Whether the signer's journal moves forward, as far as one process can see.
//
// Answers overtake one another, so their sequence numbers need not come in order. What must hold is
// this: a call that began after another's answer came has a later place in the same journal, and no
// place is given out twice. A journal that was set back (a restored state directory, a copied one)
// breaks the one or the other. Other processes use the same journal, so gaps are nothing to judge
// here: they are for whoever reads the audit rows of all of them.
//
// Thread safety: not of its own; the owner's lock. Invariants: at most kMaxJournals journals and
// kMaxPlaces places of each are kept; of more, the ones longest unseen and the lowest are
// forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "domain/journal_mark.hpp"

namespace plexsphere::signing_client {

class JournalWatch {
 public:
  static constexpr std::size_t kMaxJournals = 16;
  static constexpr std::size_t kMaxPlaces = 2048;  // twice the calls that may be under way

  // The highest place known of each journal at some moment.
  using Before = std::map<std::string, std::uint64_t>;

  enum class Verdict {
    kForward,    // as it should be
    kNew,        // of a journal not seen before
    kRegressed,  // not after what was known when the call began
    kTwice,      // another call was given this place
  };

  // To be taken before a call goes out.
  [[nodiscard]] Before before() const;
  // Takes the mark of a call's answer into account.
  Verdict observe(const Before& before, const JournalMark& mark);
  [[nodiscard]] std::size_t journals() const { return seen_.size(); }

 private:
  struct Seen {
    std::map<std::uint64_t, std::string> places;  // seq → head; never empty
    std::uint64_t last_use = 0;
  };

  void forget_one();

  std::map<std::string, Seen> seen_;
  std::uint64_t uses_ = 0;
};

}  // namespace plexsphere::signing_client
