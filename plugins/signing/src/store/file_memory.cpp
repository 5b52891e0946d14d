#include "store/file_memory.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "domain/key_set_document.hpp"

namespace plexsphere::signing {
namespace {

constexpr std::size_t kSignatureLine = 2 * std::tuple_size_v<Signature> + 1;

Fault broken(const std::string& path, const char* step) {
  return {FaultKind::kInternal, path + ": " + step + ": " + std::strerror(errno)};
}

// A colon is awkward in file names; the scope's other characters are not.
std::string file_name(const Scope& scope) {
  std::string name = scope.text() + ".keyset";
  if (const std::size_t colon = name.find(':'); colon != std::string::npos) {
    name[colon] = '-';
  }
  return name;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

// The file's content, or nothing after a read error; at most `limit` bytes are taken.
std::optional<std::string> read_all(int fd, std::size_t limit) {
  std::string text(limit, '\0');
  std::size_t size = 0;
  while (size < limit) {
    const ssize_t got = read(fd, text.data() + size, limit - size);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::nullopt;
    }
    if (got == 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

bool parse_signature(std::string_view line, Signature& out) {
  std::size_t size = 0;
  const char* end = nullptr;
  return sodium_hex2bin(out.data(), out.size(), line.data(), line.size() - 1, nullptr, &size,
                        &end) == 0 &&
         size == out.size() && end == line.data() + line.size() - 1 && line.back() == '\n';
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
    : directory_fd_(directory_fd),
      lock_fd_(lock_fd),
      path_(std::move(path)),
      document_key_(document_key) {}

FileMemory::~FileMemory() {
  close(lock_fd_);
  close(directory_fd_);
}

Outcome<std::optional<SignedDocument>> FileMemory::recall(const Scope& scope) {
  const std::string name = file_name(scope);
  const int fd = openat(directory_fd_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    if (errno == ENOENT) {
      return std::optional<SignedDocument>();
    }
    return broken(path_ + "/" + name, "cannot be opened");
  }
  const std::optional<std::string> text = read_all(fd, kSignatureLine + kMaxDocumentBytes + 1);
  close(fd);
  SignedDocument document;
  if (!text || text->size() < kSignatureLine ||
      !parse_signature(std::string_view(*text).substr(0, kSignatureLine), document.signature)) {
    return Fault{FaultKind::kInternal, path_ + "/" + name + ": damaged"};
  }
  document.document = text->substr(kSignatureLine);
  document.document_key = document_key_;
  return std::optional<SignedDocument>(std::move(document));
}

Outcome<Done> FileMemory::remember(const Scope& scope, const SignedDocument& document) {
  const std::string name = file_name(scope);
  const std::string fresh = name + ".new";
  std::string text(2 * document.signature.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), document.signature.data(), document.signature.size());
  text.back() = '\n';
  text += document.document;

  const int fd = openat(directory_fd_, fresh.c_str(),
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return broken(path_ + "/" + fresh, "cannot be created");
  }
  const bool written = write_all(fd, text) && fsync(fd) == 0;
  if (close(fd) != 0 || !written) {
    return broken(path_ + "/" + fresh, "cannot be written");
  }
  if (renameat(directory_fd_, fresh.c_str(), directory_fd_, name.c_str()) != 0 ||
      fsync(directory_fd_) != 0) {
    return broken(path_ + "/" + name, "cannot be replaced");
  }
  return Done{};
}

}  // namespace plexsphere::signing
