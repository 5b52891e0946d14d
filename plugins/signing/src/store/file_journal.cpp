#include "store/file_journal.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "app/sha256.hpp"

namespace plexsphere::signing {
namespace {

constexpr const char* kInstanceFile = "instance";
constexpr std::size_t kInstanceBytes = kInstanceHexDigits / 2;

Fault damaged(const std::string& path, const std::string& what) {
  return {FaultKind::kInternal, path + ": " + what};
}

std::string new_instance() {
  std::array<unsigned char, kInstanceBytes> bytes;
  randombytes_buf(bytes.data(), bytes.size());
  std::string text(kInstanceHexDigits + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

std::string header_of(const std::string& instance, std::uint64_t first_seq,
                      const Sha256& previous) {
  const std::string text = journal_header_text(instance, first_seq, hex_of(previous));
  return text + " " + hex_of(sha256(text)) + "\n";
}

Outcome<Directory> open_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return broken(path, "cannot be created");
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return broken(path, "cannot be opened");
  }
  return Directory{fd, path};
}

// What the file `instance` says, and what a journal that has just been made lacks.
Outcome<Done> check_instance(const Directory& directory, const JournalEnd& end) {
  const std::string path = directory.path + "/" + kInstanceFile;
  const auto said = read_file(directory, kInstanceFile, kInstanceHexDigits + 2);
  if (!said.ok()) {
    return said.fault();
  }
  if (end.segments == 0) {
    return damaged(path,
                   "names a journal of which no segment is left; put them back, or remove "
                   "this file to begin a new journal");
  }
  if (!said.value()) {
    if (end.seq == 0) {  // a crash came between the first segment and this file
      return replace_file(directory, kInstanceFile, end.instance + "\n");
    }
    return damaged(path, "is missing beside a journal with records; it must read " + end.instance);
  }
  if (*said.value() != end.instance + "\n") {
    return damaged(path, "does not name the journal beside it, " + end.instance);
  }
  return Done{};
}

Outcome<JournalEnd> make_journal(const Directory& directory) {
  JournalEnd end;
  end.instance = new_instance();
  end.first_seq = 1;
  end.segments = 1;
  end.last_segment = segment_name(1);
  const std::string header = header_of(end.instance, 1, end.head);
  end.intact = header.size();
  for (const Outcome<Done>& made : {replace_file(directory, end.last_segment, header),
                                    replace_file(directory, kInstanceFile, end.instance + "\n")}) {
    if (!made.ok()) {
      return made.fault();
    }
  }
  return end;
}

Outcome<JournalEnd> load(const Directory& directory) {
  Outcome<JournalEnd> end = read_journal(directory);
  if (!end.ok()) {
    return end;
  }
  if (end.value().segments == 0 &&
      faccessat(directory.fd, kInstanceFile, F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
    return make_journal(directory);
  }
  if (const Outcome<Done> good = check_instance(directory, end.value()); !good.ok()) {
    return good.fault();
  }
  return end;
}

// The newest segment, for appending, without what a crash left behind its last whole record.
Outcome<int> open_segment(const Directory& directory, const JournalEnd& end) {
  const std::string path = directory.path + "/" + end.last_segment;
  const int fd =
      openat(directory.fd, end.last_segment.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    return broken(path, "cannot be opened for writing");
  }
  if (end.torn > 0 && (ftruncate(fd, static_cast<off_t>(end.intact)) != 0 || fsync(fd) != 0)) {
    const Fault fault = broken(path, "its torn end cannot be cut off");
    close(fd);
    return fault;
  }
  return fd;
}

}  // namespace

Outcome<std::unique_ptr<FileJournal>> FileJournal::open(const std::string& state_directory,
                                                        Notice notice,
                                                        std::uint64_t segment_bytes) {
  const Outcome<Directory> directory = open_directory(state_directory + "/journal");
  if (!directory.ok()) {
    return directory.fault();
  }
  Outcome<JournalEnd> end = load(directory.value());
  const Outcome<int> fd =
      end.ok() ? open_segment(directory.value(), end.value()) : Outcome<int>(end.fault());
  if (!fd.ok()) {
    close(directory.value().fd);
    return fd.fault();
  }
  if (const JournalEnd& found = end.value(); found.torn > 0) {
    notice("signing_journal_torn_record_cut",
           directory.value().path + "/" + found.last_segment + ": " + std::to_string(found.torn) +
               " bytes after byte " + std::to_string(found.intact) +
               " were a record that a crash cut short; nobody was answered under it");
  }
  return std::unique_ptr<FileJournal>(new FileJournal(
      directory.value(), fd.value(), std::move(end).value(), segment_bytes, std::move(notice)));
}

FileJournal::FileJournal(Directory directory, int fd, JournalEnd end, std::uint64_t segment_bytes,
                         Notice notice)
    : directory_(std::move(directory)),
      segment_bytes_(segment_bytes),
      notice_(std::move(notice)),
      fd_(fd),
      end_(std::move(end)),
      writer_([this] { run(); }) {}

FileJournal::~FileJournal() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
  }
  wake_.notify_all();
  writer_.join();
  close(fd_);
  close(directory_.fd);
}

void FileJournal::append(JournalRecord record, Answered done) {
  {
    const std::lock_guard guard(lock_);
    waiting_.push_back({std::move(record), std::move(done)});
  }
  wake_.notify_one();
}

std::optional<std::string> FileJournal::trouble() const {
  const std::lock_guard guard(lock_);
  return trouble_;
}

void FileJournal::run() {
  std::unique_lock guard(lock_);
  while (true) {
    wake_.wait(guard, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const auto taken = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMaxJournalBatch));
    std::vector<Waiting> batch(std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.begin() + taken));
    waiting_.erase(waiting_.begin(), waiting_.begin() + taken);
    guard.unlock();
    commit(std::move(batch));
    guard.lock();
  }
}

void FileJournal::commit(std::vector<Waiting> batch) {
  const Outcome<std::vector<JournalMark>> marks = store(batch);
  set_trouble(marks.ok() ? std::nullopt : std::optional(marks.fault().cause));
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].done(marks.ok() ? Outcome<JournalMark>(marks.value()[i])
                             : Outcome<JournalMark>(marks.fault()));
  }
}

void FileJournal::set_trouble(std::optional<std::string> now) {
  bool had = false;
  {
    const std::lock_guard guard(lock_);
    had = trouble_.has_value();
    trouble_ = now;
  }
  if (now && !had) {
    notice_("signing_journal_failed", *now + "; no call is answered until it can be written");
  } else if (!now && had) {
    notice_("signing_journal_resumed", "the journal can be written again");
  }
}

Outcome<std::vector<JournalMark>> FileJournal::store(const std::vector<Waiting>& batch) {
  if (broken_) {
    return Fault{FaultKind::kJournalUnavailable, *broken_};
  }
  std::vector<JournalMark> marks;
  std::string text;
  std::uint64_t seq = end_.seq;
  Sha256 head = end_.head;
  for (const Waiting& waiting : batch) {
    const std::string record = journal_text(end_.instance, ++seq, waiting.record);
    const Sha256 hash = next_hash(head, record);
    text += record + " " + hex_of(head) + " " + hex_of(hash) + "\n";
    head = hash;
    marks.push_back({end_.instance, seq, head});
  }
  if (end_.intact + text.size() > segment_bytes_) {
    if (const Outcome<Done> begun = next_segment(); !begun.ok()) {
      return begun.fault();
    }
  }
  if (const Outcome<Done> written = write_durably(text); !written.ok()) {
    return written.fault();
  }
  end_.intact += text.size();
  end_.seq = seq;
  end_.head = head;
  return marks;
}

// A batch is never split, so a segment whose first batch is larger than the limit holds that batch.
Outcome<Done> FileJournal::next_segment() {
  const std::string name = segment_name(end_.seq + 1);
  if (name == end_.last_segment) {
    return Done{};  // it holds no record yet
  }
  const std::string path = directory_.path + "/" + name;
  const std::string header = header_of(end_.instance, end_.seq + 1, end_.head);
  const Outcome<Done> made = replace_file(directory_, name, header);
  const int fd =
      made.ok() ? openat(directory_.fd, name.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
                : -1;
  if (fd < 0) {
    const Fault fault = made.ok() ? broken(path, "cannot be opened") : made.fault();
    // A smaller batch may still fit the present segment, and then this one would be a wrong turn.
    if (unlinkat(directory_.fd, name.c_str(), 0) != 0 && errno != ENOENT) {
      broken_ = broken(path, "cannot be removed").cause + "; remove it and start the signer again";
    }
    return Fault{FaultKind::kJournalUnavailable, fault.cause};
  }
  close(fd_);
  fd_ = fd;
  end_.last_segment = name;
  end_.intact = header.size();
  return Done{};
}

Outcome<Done> FileJournal::write_durably(std::string_view text) {
  const std::string path = directory_.path + "/" + end_.last_segment;
  if (!write_all(fd_, text)) {
    const Fault fault{FaultKind::kJournalUnavailable, broken(path, "cannot be written").cause};
    if (ftruncate(fd_, static_cast<off_t>(end_.intact)) != 0) {
      broken_ =
          broken(path, "a failed write cannot be taken back").cause + "; start the signer again";
    }
    return fault;
  }
  if (fdatasync(fd_) != 0) {
    broken_ = broken(path, "cannot be flushed").cause + "; start the signer again";
    return Fault{FaultKind::kJournalUnavailable, *broken_};
  }
  return Done{};
}

}  // namespace plexsphere::signing
