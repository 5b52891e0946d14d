// Reads a journal from its files and checks every byte of it.
//
// A journal is a directory of segments, `<first sequence, 20 digits>.journal`, and a file
// `instance` that names it. Every segment after the first begins with the hash the one before ended
// in. Older segments may have been moved away; then the oldest one present is believed where it
// begins.
//
// Thread safety: pure functions over the file system.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "app/journal.hpp"
#include "domain/journal_record.hpp"
#include "store/file_io.hpp"

namespace plexsphere::signing {

// A segment that is larger than this is no segment of ours.
inline constexpr std::size_t kMaxSegmentBytes = std::size_t{1} << 30;

// What a journal comes to. `seq` and `head` continue in the next record.
struct JournalEnd {
  std::string instance;
  std::uint64_t first_seq = 0;  // of the oldest record present, or of the next when there is none
  std::uint64_t seq = 0;        // of the last record; 0 before the first
  Sha256 head{};                // zero bytes before the first
  std::uint64_t segments = 0;
  std::string last_segment;  // its name
  std::uint64_t intact = 0;  // bytes of the last segment up to the end of the last whole record
  std::uint64_t torn = 0;    // bytes after them: a record whose writing a crash cut short
};

// Told of every record in turn, checked.
using JournalVisitor = std::function<void(const JournalLine&)>;

[[nodiscard]] std::string segment_name(std::uint64_t first_seq);

// A whole journal. `segments` is 0 when the directory has none. Faults: internal when it is
// damaged, naming the file, the line and the byte at which it begins, and what is wrong there;
// journal unavailable when it cannot be read.
[[nodiscard]] Outcome<JournalEnd> read_journal(const Directory& directory,
                                               const JournalVisitor& visit = {});

// One segment by itself.
[[nodiscard]] Outcome<JournalEnd> read_segment(const Directory& directory, const std::string& name,
                                               const JournalVisitor& visit = {});

}  // namespace plexsphere::signing
