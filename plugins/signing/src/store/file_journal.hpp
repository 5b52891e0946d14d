// The journal in a directory of append-only segments.
//
// One thread writes. Whatever is appended while it waits for the disk goes into the next write
// together, so a hundred calls at once cost a few flushes, not a hundred.
//
// A write that fails (a full disk, a limit) is taken back and its calls are refused; later calls
// try again. After a flush that failed nothing more is taken until the signer starts again, because
// the system may have dropped what it could not write.
//
// Thread safety: append and trouble from any thread. Ownership: owns its thread and the open
// segment; the state directory's lock is FileMemory's. Invariants: a mark is given out only for a
// record that was flushed; sequence numbers have no gaps; a segment is complete before the next.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/journal.hpp"
#include "store/journal_reader.hpp"

namespace plexsphere::signing {

// A segment takes no further record when it would grow beyond this.
inline constexpr std::uint64_t kSegmentBytes = 64 * 1024 * 1024;
// Records of one write.
inline constexpr std::size_t kMaxJournalBatch = 1024;

class FileJournal final : public Journal {
 public:
  // Told of what an operator should read: a stable name and a text without secrets.
  using Notice = std::function<void(std::string_view event, std::string_view text)>;

  // Opens `<state_directory>/journal`, which it makes (0700) if absent, checks all of it, and cuts
  // a torn last record off with a notice. A journal is made only where there never was one. Faults:
  // internal, naming file, line and byte, and what is wrong; another damage is never repaired.
  static Outcome<std::unique_ptr<FileJournal>> open(const std::string& state_directory,
                                                    Notice notice,
                                                    std::uint64_t segment_bytes = kSegmentBytes);
  // Writes what was appended.
  ~FileJournal() override;

  void append(JournalRecord record, Answered done) override;

  // Why the last write did not succeed; nothing when it did.
  [[nodiscard]] std::optional<std::string> trouble() const;
  [[nodiscard]] const std::string& instance() const { return end_.instance; }

 private:
  struct Waiting {
    JournalRecord record;
    Answered done;
  };

  FileJournal(Directory directory, int fd, JournalEnd end, std::uint64_t segment_bytes,
              Notice notice);

  void run();
  void commit(std::vector<Waiting> batch);
  [[nodiscard]] Outcome<std::vector<JournalMark>> store(const std::vector<Waiting>& batch);
  [[nodiscard]] Outcome<Done> next_segment();
  [[nodiscard]] Outcome<Done> write_durably(std::string_view text);
  void set_trouble(std::optional<std::string> now);

  // Touched by the writing thread only.
  const Directory directory_;
  const std::uint64_t segment_bytes_;
  const Notice notice_;
  int fd_;
  JournalEnd end_;
  std::optional<std::string> broken_;  // a flush failed: nothing more is written

  mutable std::mutex lock_;
  std::condition_variable wake_;
  std::vector<Waiting> waiting_;        // guarded by lock_
  std::optional<std::string> trouble_;  // guarded by lock_
  bool stopping_ = false;               // guarded by lock_
  std::thread writer_;
};

}  // namespace plexsphere::signing
