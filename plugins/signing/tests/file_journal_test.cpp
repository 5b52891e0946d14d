#include "store/file_journal.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <sstream>
#include <thread>

#include "app/sha256.hpp"
#include "golden_journal.hpp"
#include "signer_fixture.hpp"

namespace plexsphere::signing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::kGoldenHeader;
using testing::kGoldenInstance;
using testing::kGoldenRecords;

JournalRecord record(std::uint64_t messages = 1) {
  JournalRecord out;
  out.at = std::chrono::sys_time<std::chrono::milliseconds>(1767225600000ms);
  out.scope = std::string(testing::kDomain);
  out.purpose = "events";
  out.key_id = "k1";
  out.key_set = 1;
  out.messages = messages;
  out.digest = hex_of(digest_of({"m"}));
  return out;
}

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void spill(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

// A state directory, and the journal in it as it is opened and read.
struct Place {
  [[nodiscard]] Outcome<std::unique_ptr<FileJournal>> open(std::uint64_t segment = kSegmentBytes) {
    return FileJournal::open(
        directory.path().string(),
        [this](std::string_view event, std::string_view text) {
          const std::lock_guard guard(lock);
          notices.push_back(std::string(event) + ": " + std::string(text));
        },
        segment);
  }
  [[nodiscard]] fs::path file(std::uint64_t first_seq = 1) const {
    return journal() / segment_name(first_seq);
  }
  [[nodiscard]] fs::path journal() const { return directory.path() / "journal"; }
  [[nodiscard]] Outcome<JournalEnd> read() const {
    const int fd = ::open(journal().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const auto end = read_journal({fd, journal().string()});
    close(fd);
    return end;
  }
  // What opening is refused with.
  [[nodiscard]] std::string refusal() {
    const auto opened = open();
    return opened.ok() ? "opened" : opened.fault().cause;
  }

  test_support::TempDir directory;
  std::mutex lock;
  std::vector<std::string> notices;
};

Outcome<JournalMark> append(FileJournal& journal, JournalRecord what = record()) {
  std::promise<Outcome<JournalMark>> promise;
  journal.append(std::move(what), [&](const Outcome<JournalMark>& m) { promise.set_value(m); });
  return promise.get_future().get();
}

// A journal of so many records, closed.
void fill(Place& place, int records, std::uint64_t segment = kSegmentBytes) {
  const auto journal = place.open(segment).value();
  for (int i = 0; i < records; ++i) {
    REQUIRE(append(*journal).ok());
  }
}

TEST_CASE("marks count from one and carry the hash that the file has", "[signing]") {
  Place place;
  {
    const auto journal = place.open().value();
    for (std::uint64_t seq = 1; seq <= 3; ++seq) {
      const JournalMark mark = append(*journal).value();
      CHECK(mark.instance == journal->instance());
      CHECK(mark.seq == seq);
      // It is in the file by the time the mark is given out.
      CHECK(slurp(place.file()).ends_with(" " + hex_of(mark.head) + "\n"));
    }
  }
  const JournalEnd end = place.read().value();
  CHECK(end.seq == 3);
  CHECK(end.torn == 0);
  const auto journal = place.open().value();
  const JournalMark mark = append(*journal).value();
  CHECK(mark.instance == end.instance);
  CHECK(mark.seq == 4);
  CHECK(place.notices.empty());
  struct stat info {};
  REQUIRE(stat(place.journal().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
  REQUIRE(stat(place.file().c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
}

TEST_CASE("the format is the documented one, byte for byte", "[signing]") {
  Place place;
  fs::create_directory(place.journal());
  spill(place.journal() / "instance", std::string(kGoldenInstance) + "\n");
  spill(place.file(), std::string(kGoldenHeader));
  {
    const auto journal = place.open().value();
    JournalRecord opened = record(0);
    opened.rpc = kRpcOpenRotation;
    opened.purpose = "*";
    opened.digest = hex_of(digest_of({}));
    REQUIRE(append(*journal, opened).ok());
    JournalRecord signs = record(2);
    signs.at += 125ms;
    signs.digest = hex_of(digest_of({"a", "b"}));
    REQUIRE(append(*journal, signs).ok());
    JournalRecord refused = record(1);
    refused.at += 250ms;
    refused.scope = journal_scope("no scope");
    refused.purpose = refused.key_id = "*";
    refused.outcome = journal_outcome(FaultKind::kInvariantViolation);
    refused.key_set = 0;
    refused.digest = hex_of(digest_of({""}));
    const JournalMark mark = append(*journal, refused).value();
    CHECK(mark.instance == kGoldenInstance);
    CHECK(mark.seq == 3);
  }
  CHECK(slurp(place.file()) == std::string(kGoldenHeader) + std::string(kGoldenRecords));
}

TEST_CASE("many calls at once share flushes and each gets its own place", "[signing]") {
  Place place;
  {
    const auto journal = place.open().value();
    std::vector<std::thread> threads;
    std::mutex lock;
    std::vector<std::uint64_t> seen;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 50; ++n) {
          const JournalMark mark = append(*journal).value();
          const std::lock_guard guard(lock);
          seen.push_back(mark.seq);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    std::sort(seen.begin(), seen.end());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      CHECK(seen[i] == i + 1);
    }
  }
  CHECK(place.read().value().seq == 400);
}

TEST_CASE("a record that a crash cut short is cut off and its number used again", "[signing]") {
  Place place;
  fill(place, 3);
  const std::string whole = slurp(place.file());
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (const std::size_t kept : {last + 1, last + 40, whole.size() - 65, whole.size() - 1}) {
    CAPTURE(kept);
    place.notices.clear();
    spill(place.file(), whole.substr(0, kept));
    const auto journal = place.open().value();
    REQUIRE(place.notices.size() == 1);
    CHECK(place.notices[0].starts_with("signing_journal_torn_record_cut: "));
    CHECK(place.notices[0].find(std::to_string(kept - last) + " bytes after byte " +
                                std::to_string(last)) != std::string::npos);
    CHECK(append(*journal).value().seq == 3);
  }
  CHECK(place.read().value().seq == 3);
}

TEST_CASE("a signer killed while it writes leaves a journal that goes on", "[signing]") {
  Place place;
  { const auto journal = place.open().value(); }
  std::array<int, 2> pipe_fds{};
  REQUIRE(pipe(pipe_fds.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto journal =
        FileJournal::open(place.directory.path().string(), [](std::string_view, std::string_view) {
        }).value();
    while (true) {
      journal->append(record(), [&](const Outcome<JournalMark>& mark) {
        const std::uint64_t seq = mark.ok() ? mark.value().seq : 0;
        (void)!write(pipe_fds[1], &seq, sizeof seq);
      });
    }
  }
  std::uint64_t answered = 0;
  while (answered < 100) {
    REQUIRE(read(pipe_fds[0], &answered, sizeof answered) == sizeof answered);
  }
  kill(child, SIGKILL);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  close(pipe_fds[1]);
  std::uint64_t seq = 0;
  while (read(pipe_fds[0], &seq, sizeof seq) == sizeof seq) {
    answered = seq;
  }
  close(pipe_fds[0]);
  const auto journal = place.open().value();
  // Nothing that was answered is missing; a record may be there that nobody was answered for.
  CHECK(append(*journal).value().seq > answered);
}

TEST_CASE("a changed bit anywhere in a journal is found", "[signing]") {
  Place place;
  fill(place, 3);
  const std::string whole = slurp(place.file());
  // In place: a file that is cut and written again is flushed by ext4, ten thousand times too slow.
  const int fd = ::open(place.file().c_str(), O_WRONLY | O_CLOEXEC);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      const char changed = static_cast<char>(whole[at] ^ (1 << bit));
      REQUIRE(pwrite(fd, &changed, 1, static_cast<off_t>(at)) == 1);
      const auto end = place.read();
      CAPTURE(at, bit);
      REQUIRE_FALSE(end.ok());
      REQUIRE(end.fault().cause.find(": damaged at line ") != std::string::npos);
    }
    REQUIRE(pwrite(fd, &whole[at], 1, static_cast<off_t>(at)) == 1);
  }
  close(fd);
  REQUIRE(place.read().value().seq == 3);
  std::string changed = whole;
  const std::size_t second = whole.find('\n', whole.find('\n') + 1) + 1;
  changed[second + 40] ^= 1;  // in the time
  spill(place.file(), changed);
  CHECK(place.refusal() == place.file().string() + ": damaged at line 3, byte " +
                               std::to_string(second) +
                               ": the record was changed: it does not have its hash");
}

TEST_CASE("records that were moved, doubled, left out or made up are found", "[signing]") {
  Place place;
  fill(place, 4);
  std::vector<std::string> lines;
  std::istringstream text(slurp(place.file()));
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  const auto refused = [&](const std::vector<int>& order) {
    std::string out;
    for (const int i : order) {
      out += lines[static_cast<std::size_t>(i)] + "\n";
    }
    spill(place.file(), out);
    const std::string said = place.refusal();
    return said == "opened" ? said : said.substr(place.file().string().size());
  };
  CHECK(refused({0, 1, 3, 2, 4}).ends_with(": sequence 3 follows 1"));
  CHECK(refused({0, 1, 2, 2, 3, 4}).ends_with(": sequence 2 follows 2"));
  CHECK(refused({0, 1, 2, 4}).ends_with(": sequence 4 follows 2"));
  CHECK(refused({0, 2, 3, 4}).ends_with(": sequence 2 follows 0"));
  CHECK(refused({1, 2, 3, 4})
            .ends_with(
                ": damaged at line 1, byte 0: this is no header of a journal, or it was changed"));
  // A record that continues the chain by itself but carries another journal's name.
  Place other;
  fill(other, 4);
  spill(place.file(), slurp(place.file()).substr(0, 0) + lines[0] + "\n" +
                          slurp(other.file()).substr(slurp(other.file()).find('\n') + 1));
  CHECK(place.refusal().find("the record belongs to another journal") != std::string::npos);
  CHECK(refused({0, 1, 2, 3}) == "opened");  // cut at a record's end: that only others can tell
}

TEST_CASE("a full segment is followed by one that continues it", "[signing]") {
  Place place;
  fill(place, 12, 1500);  // three records a segment
  CHECK(place.read().value().segments >= 3);
  CHECK(place.read().value().seq == 12);
  std::vector<fs::path> segments;
  for (const auto& entry : fs::directory_iterator(place.journal())) {
    if (entry.path().extension() == ".journal") {
      segments.push_back(entry.path());
      CHECK(fs::file_size(entry) <= 1500);
    }
  }
  std::sort(segments.begin(), segments.end());
  // The oldest may go to an archive, and the journal goes on.
  fs::remove(segments[0]);
  {
    const auto journal = place.open(1500).value();
    CHECK(append(*journal).value().seq == 13);
  }
  CHECK(place.read().value().first_seq > 1);
  // One in the middle may not.
  fs::remove(segments[2]);
  CHECK(place.refusal().find("the segment begins at sequence ") != std::string::npos);
  // Nor may a whole journal disappear.
  for (const fs::path& segment : segments) {
    fs::remove(segment);
  }
  for (const auto& entry : fs::directory_iterator(place.journal())) {
    if (entry.path().extension() == ".journal") {
      fs::remove(entry.path());
    }
  }
  CHECK(place.refusal().find("names a journal of which no segment is left") != std::string::npos);
}

TEST_CASE("an older segment may not end in a torn record, nor bear another's name", "[signing]") {
  Place place;
  fill(place, 6, 1500);
  const fs::path first = place.file();
  const std::string whole = slurp(first);
  spill(first, whole.substr(0, whole.size() - 5));
  CHECK(place.refusal().find("the record has no end") != std::string::npos);
  spill(first, whole);
  REQUIRE(place.refusal() == "opened");
  fs::remove(place.file());
  fs::path second;
  for (const auto& entry : fs::directory_iterator(place.journal())) {
    if (entry.path().extension() == ".journal" && (second.empty() || entry.path() < second)) {
      second = entry.path();
    }
  }
  fs::rename(second, first);
  CHECK(place.refusal().find("holds the segment that belongs into ") != std::string::npos);
}

TEST_CASE("the file that names the journal must name it", "[signing]") {
  Place place;
  { const auto journal = place.open().value(); }
  const fs::path instance = place.journal() / "instance";
  const std::string said = slurp(instance);
  fs::remove(instance);
  CHECK(place.refusal() == "opened");  // a crash may have come before it was written
  CHECK(slurp(instance) == said);
  fill(place, 1);
  fs::remove(instance);
  CHECK(place.refusal() == instance.string() +
                               ": is missing beside a journal with records; it must read " +
                               said.substr(0, said.size() - 1));
  spill(instance, std::string(32, 'f') + "\n");
  CHECK(place.refusal().find("does not name the journal beside it") != std::string::npos);
}

// The process's own limit on file sizes stands for a disk that is full: write fails, EFBIG.
TEST_CASE("while the disk is full nothing is given out, and afterwards it goes on", "[signing]") {
  Place place;
  const auto journal = place.open().value();
  REQUIRE(append(*journal).ok());
  const std::string before = slurp(place.file());
  struct sigaction ignore {};
  struct sigaction kept {};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(sigaction(SIGXFSZ, &ignore, &kept) == 0);
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &limit) == 0);
  const rlimit full{before.size() + 100, limit.rlim_max};  // a part of the next record fits
  REQUIRE(setrlimit(RLIMIT_FSIZE, &full) == 0);
  const auto refused = append(*journal);
  const auto trouble = journal->trouble();
  const auto again = append(*journal);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
  REQUIRE(sigaction(SIGXFSZ, &kept, nullptr) == 0);

  REQUIRE_FALSE(refused.ok());
  CHECK(refused.fault().kind == FaultKind::kJournalUnavailable);
  CHECK(refused.fault().cause == place.file().string() + ": cannot be written: File too large");
  CHECK(trouble == refused.fault().cause);
  CHECK_FALSE(again.ok());
  CHECK(slurp(place.file()) == before);
  CHECK(append(*journal).value().seq == 2);
  CHECK_FALSE(journal->trouble());
  REQUIRE(place.notices.size() == 2);
  CHECK(place.notices[0].starts_with("signing_journal_failed: "));
  CHECK(place.notices[1].starts_with("signing_journal_resumed: "));
}

TEST_CASE("a journal that is no directory is named", "[signing]") {
  Place place;
  place.directory.write("journal", "");
  CHECK(place.refusal().starts_with(place.journal().string() + ": cannot be opened"));
}

// What durability costs here and now: run with "[.cost]". docs/contexts/signing.md has the numbers
// of one machine.
TEST_CASE("records a second, by calls at once", "[.cost]") {
  for (const int at_once : {1, 8, 64, 256}) {
    Place place;
    const auto journal = place.open().value();
    std::mutex lock;
    std::condition_variable over;
    int left = 4000;
    int running = at_once;
    const auto began = std::chrono::steady_clock::now();
    std::function<void(const Outcome<JournalMark>&)> next = [&](const Outcome<JournalMark>&) {
      const std::lock_guard guard(lock);
      if (left-- > 0) {
        journal->append(record(), next);
      } else if (--running == 0) {
        over.notify_all();
      }
    };
    for (int i = 0; i < at_once; ++i) {
      journal->append(record(), next);
    }
    std::unique_lock guard(lock);
    over.wait(guard, [&] { return running == 0; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto read_began = std::chrono::steady_clock::now();
    REQUIRE(place.read().ok());
    const std::chrono::duration<double> read = std::chrono::steady_clock::now() - read_began;
    const auto megabytes = static_cast<double>(fs::file_size(place.file())) / 1e6;
    WARN(at_once << " at once: " << static_cast<int>(4000 / took.count())
                 << " records a second; checked again at "
                 << static_cast<int>(megabytes / read.count()) << " MB/s");
  }
}

}  // namespace
}  // namespace plexsphere::signing
