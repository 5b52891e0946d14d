// Lines on their way to a descriptor: in batches, in order, and never at the price of a caller.
#include "host/telemetry/log_sink.hpp"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::telemetry {
namespace {

using namespace std::chrono_literals;  // NOLINT: test
using Clock = std::chrono::steady_clock;

std::string dropped_line(std::uint64_t count) {
  return "dropped " + std::to_string(count);
}

// A sink on a file, and a logger on it.
struct ToFile {
  test_support::TempDir directory;
  std::string path = directory.path() / "log";
  int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::shared_ptr<BatchingSink> sink = std::make_shared<BatchingSink>(descriptor, dropped_line);
  spdlog::logger logger{"", sink};

  ~ToFile() { ::close(descriptor); }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
};

TEST_CASE("a line is written soon, without being asked for", "[telemetry]") {
  ToFile to;
  to.logger.info("one");
  CHECK(test_support::wait_until(10s, [&] { return to.text() == "one\n"; }));
}

TEST_CASE("flush waits until everything before it is written", "[telemetry]") {
  ToFile to;
  std::string all;
  for (int i = 0; i < 100; ++i) {
    to.logger.info(std::to_string(i));
    all += std::to_string(i) + "\n";
    CHECK(to.sink->flush_within(10s));
    CHECK(to.text() == all);
  }
}

TEST_CASE("lines of many threads arrive whole and each thread's in order", "[telemetry]") {
  constexpr int kThreads = 8;
  constexpr int kLines = 5'000;
  ToFile to;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&to, t] {
      for (int i = 0; i < kLines; ++i) {
        to.logger.log(i % 100 == 0 ? spdlog::level::warn : spdlog::level::info,
                      std::to_string(t) + " " + std::to_string(i) + std::string(300, '.'));
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  REQUIRE(to.sink->flush_within(30s));
  std::array<int, kThreads> next{};
  std::istringstream lines(to.text());
  for (std::string line; std::getline(lines, line);) {
    int thread = 0;
    int number = 0;
    char dot = 0;
    std::istringstream(line) >> thread >> number >> dot;
    REQUIRE(next.at(static_cast<std::size_t>(thread))++ == number);
    REQUIRE(line.size() - line.find('.') == 300);
  }
  CHECK(next ==
        std::array<int, kThreads>{kLines, kLines, kLines, kLines, kLines, kLines, kLines, kLines});
}

TEST_CASE("what is left is written at the end", "[telemetry]") {
  ToFile to;
  {
    BatchingSink sink(to.descriptor, dropped_line);
    sink.log(spdlog::details::log_msg("", spdlog::level::info, "last words"));
  }
  CHECK(to.text() == "last words\n");
}

TEST_CASE("a reader that stands still holds no caller, and learns what it has missed",
          "[telemetry]") {
  int ends[2] = {};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  std::string read;
  {
    BatchingSink sink(ends[1], dropped_line);
    const std::string line(1000, 'x');
    const auto began = Clock::now();
    for (int i = 0; i < 20'000; ++i) {  // 20 MB into a pipe that takes 64 KiB
      sink.log(spdlog::details::log_msg("", spdlog::level::err, line));
    }
    CHECK(Clock::now() - began < 10s);
    CHECK_FALSE(sink.flush_within(1ms));
    std::thread reader([&] {
      char buffer[65536];
      for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof(buffer))) > 0;) {
        read.append(buffer, static_cast<std::size_t>(got));
        if (read.find("dropped ") != std::string::npos && read.back() == '\n') {
          return;
        }
      }
    });
    reader.join();
  }
  const auto lines = static_cast<std::uint64_t>(std::count(read.begin(), read.end(), '\n')) - 1;
  CHECK(read.find("dropped " + std::to_string(20'000 - lines) + "\n") != std::string::npos);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("the end does not wait for ever on a reader that stands still", "[telemetry]") {
  int ends[2] = {};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const auto began = Clock::now();
  {
    BatchingSink sink(ends[1], dropped_line);
    for (int i = 0; i < 1000; ++i) {
      sink.log(spdlog::details::log_msg("", spdlog::level::info, std::string(1000, 'x')));
    }
  }
  CHECK(Clock::now() - began < 10s);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace plexsphere::host::telemetry
