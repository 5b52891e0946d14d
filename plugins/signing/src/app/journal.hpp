// The signer's own record of every call, so that a signature nobody accounts for leaves a gap.
//
// Thread safety: append may be called from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "domain/fault.hpp"
#include "domain/journal_record.hpp"

namespace plexsphere::signing {

using Sha256 = std::array<std::uint8_t, 32>;

// Where a call stands in the journal. It rides in the answer to the call.
struct JournalMark {
  std::string instance;   // 32 hexadecimal digits; a journal's own for as long as it lives
  std::uint64_t seq = 0;  // from 1, without gaps
  Sha256 head{};          // the chain's hash up to and with this record
};

class Journal {
 public:
  using Answered = std::function<void(const Outcome<JournalMark>&)>;

  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  virtual ~Journal() = default;

  // Adds the record; `done` comes exactly once, on a thread of the journal's which it must not hold
  // up, and with a mark only when the record outlives a crash of the machine. Faults: journal
  // unavailable; then the caller gets nothing of what it asked for.
  virtual void append(JournalRecord record, Answered done) = 0;
};

}  // namespace plexsphere::signing
