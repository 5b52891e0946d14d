// The entries of an export, read and decoded by a thread of its own while the caller checks those
// before, in bounded memory.
//
//   EntryReader entries(directory / "entries.jsonl");
//   for (auto batch = entries.next(); !batch.empty(); batch = entries.next()) …
//
// One caller. What is wrong with a line is thrown by the call of next() that would have brought it.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "host/apps/plexctl/audit_notes.hpp"
#include "host/apps/plexctl/failure.hpp"

namespace plexsphere::plexctl {

// Longest line of an export, in bytes; the longest entry is far below.
inline constexpr std::size_t kMostLine = 4U << 20;

// Of a line that is none. INCOMPLETE.
[[nodiscard]] Failure not_of_an_export(std::size_t number, const std::filesystem::path& path);

// An entry from its line; nothing if the line is no JSON object. A member that is missing, or not
// of its form, is empty or 0, which fits no chain.
[[nodiscard]] std::optional<ExportedEntry> entry_of_line(std::string_view line);

class EntryReader {
 public:
  explicit EntryReader(std::filesystem::path path);
  EntryReader(const EntryReader&) = delete;
  EntryReader& operator=(const EntryReader&) = delete;
  ~EntryReader();

  // The next entries in order; none after the last. Throws Failure.
  [[nodiscard]] std::vector<ExportedEntry> next();

 private:
  static constexpr std::size_t kBatch = 512;  // entries
  static constexpr std::size_t kAhead = 4;    // batches

  void read();
  // False when nobody wants more.
  bool put(std::vector<ExportedEntry> batch);

  const std::filesystem::path path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<ExportedEntry>> batches_;  // these four under mutex_
  std::exception_ptr failed_;
  bool ended_ = false;
  bool unwanted_ = false;
  std::thread thread_;
};

}  // namespace plexsphere::plexctl
