// Writes log lines in batches, so that no worker pays for a system call or waits for a slow disk.
//
// Lines are collected in memory; a thread of the sink's own writes them with one write(2) once
// 64 KiB are there, 50 ms after the first, or at once when a line of level warn or above comes.
// While the descriptor takes nothing, up to 4 MiB are kept. Beyond that a caller waits for 100 ms;
// if that did not help, lines are dropped, and their number is told when writing goes on.
// kill -9 loses what came within the last 50 ms.
//
// Thread safety: all members from any thread. Ownership: owns its thread; the descriptor is the
// caller's. Destruction writes what is left, for at most a second if the descriptor is stuck.
#pragma once

#include <spdlog/sinks/sink.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace plexsphere::host::telemetry {

class BatchingSink final : public spdlog::sinks::sink {
 public:
  // Makes the line, without its end, that tells how many were dropped.
  using DroppedLine = std::function<std::string(std::uint64_t count)>;

  BatchingSink(int descriptor, DroppedLine dropped_line);
  ~BatchingSink() override;

  // Takes the payload as the whole line.
  void log(const spdlog::details::log_msg& message) override;
  // Has everything logged so far written without waiting for it.
  void flush() override;
  // Waits until it is written; false if that takes longer than `limit`.
  bool flush_within(std::chrono::milliseconds limit);
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  bool wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t size);
  void write_batches();
  void write_all(std::string_view text) const;
  bool wait_writable() const;

  const int descriptor_;
  const bool regular_;  // a file, which never has to be waited for
  const DroppedLine dropped_line_;
  std::atomic<std::int64_t> give_up_at_{INT64_MAX};  // steady clock, ns; set when ending

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  std::condition_variable room_;
  std::string pending_;
  std::uint64_t taken_count_ = 0;    // lines
  std::uint64_t written_count_ = 0;  // lines
  std::uint64_t dropped_ = 0;
  bool urgent_ = false;
  bool stuck_ = false;  // somebody has waited for room in vain
  bool ending_ = false;
  std::thread writer_;
};

}  // namespace plexsphere::host::telemetry
