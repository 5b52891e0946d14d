#include "store/file_memory.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "app/sha256.hpp"
#include "domain/key_set_document.hpp"
#include "domain/restore_statement.hpp"

namespace plexsphere::signing {
namespace {

constexpr const char* kKeySets = ".keyset";
constexpr const char* kCheckpoints = ".checkpoint";
constexpr const char* kPermit = ".restore";
constexpr std::size_t kMaxCheckpointLine = 256;
constexpr std::size_t kSignatureLine = 2 * std::tuple_size_v<Signature> + 1;

// A colon is awkward in file names; the scope's other characters are not.
std::string file_name(const Scope& scope, const char* kind) {
  std::string name = scope.text() + kind;
  if (const std::size_t colon = name.find(':'); colon != std::string::npos) {
    name[colon] = '-';
  }
  return name;
}

bool parse_signature(std::string_view line, Signature& out) {
  std::size_t size = 0;
  const char* end = nullptr;
  return sodium_hex2bin(out.data(), out.size(), line.data(), line.size() - 1, nullptr, &size,
                        &end) == 0 &&
         size == out.size() && end == line.data() + line.size() - 1 && line.back() == '\n';
}

std::string word(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string text_of(std::string_view word) {
  return word == "-" ? std::string() : std::string(word);
}

std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view taken = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return taken;
}

std::uint64_t number_of(std::string_view word) {
  std::uint64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

// The one line that stands for the checkpoint.
std::string checkpoint_line(const Scope& scope, const SeenCheckpoint& seen) {
  std::string words = std::to_string(seen.size) + " " + word(seen.root);
  if (seen.epoch != 1) {
    words += " " + std::to_string(seen.epoch) + " " + word(seen.restore);
  }
  return words + " " + hex_of(sha256(scope.text() + " " + words)) + "\n";
}

}  // namespace

Outcome<std::unique_ptr<FileMemory>> FileMemory::open(const std::string& directory,
                                                      const PublicKey& document_key) {
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return broken(directory, "cannot be created");
  }
  const int directory_fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_fd < 0) {
    return broken(directory, "cannot be opened");
  }
  const int lock_fd = openat(directory_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_fd < 0 || flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    const bool held = lock_fd >= 0 && errno == EWOULDBLOCK;
    Fault fault = held ? Fault{FaultKind::kInternal, directory + ": another signer holds it"}
                       : broken(directory, "cannot be locked");
    if (lock_fd >= 0) {
      close(lock_fd);
    }
    close(directory_fd);
    return fault;
  }
  return std::unique_ptr<FileMemory>(
      new FileMemory(directory_fd, lock_fd, directory, document_key));
}

FileMemory::FileMemory(int directory_fd, int lock_fd, std::string path, PublicKey document_key)
    : directory_{directory_fd, std::move(path)}, lock_fd_(lock_fd), document_key_(document_key) {}

FileMemory::~FileMemory() {
  close(lock_fd_);
  close(directory_.fd);
}

Outcome<std::optional<SignedDocument>> FileMemory::recall(const Scope& scope) {
  const std::string name = file_name(scope, kKeySets);
  const auto text = read_file(directory_, name, kSignatureLine + kMaxDocumentBytes + 1);
  if (!text.ok()) {
    return text.fault();
  }
  if (!text.value()) {
    return std::optional<SignedDocument>();
  }
  const std::string& bytes = *text.value();
  SignedDocument document;
  if (bytes.size() < kSignatureLine ||
      !parse_signature(std::string_view(bytes).substr(0, kSignatureLine), document.signature)) {
    return Fault{FaultKind::kInternal, directory_.path + "/" + name + ": damaged"};
  }
  document.document = bytes.substr(kSignatureLine);
  document.document_key = document_key_;
  return std::optional<SignedDocument>(std::move(document));
}

Outcome<Done> FileMemory::remember(const Scope& scope, const SignedDocument& document) {
  std::string text(2 * document.signature.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), document.signature.data(), document.signature.size());
  text.back() = '\n';
  text += document.document;
  return replace_file(directory_, file_name(scope, kKeySets), text);
}

Outcome<std::optional<SeenCheckpoint>> FileMemory::recall_checkpoint(const Scope& scope) {
  const std::string name = file_name(scope, kCheckpoints);
  const auto text = read_file(directory_, name, kMaxCheckpointLine);
  if (!text.ok()) {
    return text.fault();
  }
  if (!text.value()) {
    return std::optional<SeenCheckpoint>();
  }
  const std::string_view line = *text.value();
  std::string_view rest = line;
  SeenCheckpoint seen;
  seen.size = number_of(take_word(rest));
  seen.root = text_of(take_word(rest));
  if (rest.find(' ') != std::string_view::npos) {
    seen.epoch = number_of(take_word(rest));
    seen.restore = text_of(take_word(rest));
  }
  // What was read is what would be written, or something else was there.
  if (checkpoint_line(scope, seen) != line) {
    return Fault{FaultKind::kInternal, directory_.path + "/" + name + ": damaged"};
  }
  return std::optional(std::move(seen));
}

Outcome<Done> FileMemory::remember_checkpoint(const Scope& scope,
                                              const SeenCheckpoint& checkpoint) {
  return replace_file(directory_, file_name(scope, kCheckpoints),
                      checkpoint_line(scope, checkpoint));
}

Outcome<std::optional<std::string>> FileMemory::restore_permit(const Scope& scope) {
  return read_file(directory_, file_name(scope, kPermit), kMaxRestoreStatement);
}

Outcome<Done> FileMemory::keep_restore(const Scope& scope, std::uint64_t epoch,
                                       std::string_view statement) {
  const std::string kind = ".restored-" + std::to_string(epoch);
  const Outcome<Done> kept = replace_file(directory_, file_name(scope, kind.c_str()), statement);
  if (kept.ok()) {
    unlinkat(directory_.fd, file_name(scope, kPermit).c_str(), 0);  // used up
  }
  return kept;
}

}  // namespace plexsphere::signing
