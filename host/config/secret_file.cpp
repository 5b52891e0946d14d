#include "host/config/secret_file.hpp"

#include <fcntl.h>
#include <string.h>  // NOLINT: explicit_bzero
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "host/base/file.hpp"

namespace plexsphere::host::config {
namespace {

std::optional<SecretFileProblem> check_open_file(int descriptor, std::size_t& size) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    return SecretFileProblem{"the secret is not a regular file", "name a regular file"};
  }
  if ((info.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return SecretFileProblem{"the secret file is open to others", "run chmod 0640 (or 0600) on it"};
  }
  if (info.st_size <= 0) {
    return SecretFileProblem{"the secret file is empty", "write the secret into it"};
  }
  size = static_cast<std::size_t>(info.st_size);
  if (size > kSecretFileLimit) {
    return SecretFileProblem{"the secret file is larger than 65536 bytes",
                             "name the file that holds only the secret"};
  }
  return std::nullopt;
}

SecretFileProblem cannot_open(int error) {
  return {"the secret file cannot be read: " + error_text(error),
          error == ENOENT ? "create the file or correct the path"
                          : "let the service's user read it (chown and chmod 0640)"};
}

}  // namespace

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    bytes_ = std::move(other.bytes_);
    other.bytes_.clear();
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

void Secret::wipe() noexcept {
  if (!bytes_.empty()) {
    ::explicit_bzero(bytes_.data(), bytes_.size());
  }
}

std::optional<SecretFileProblem> check_secret_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    return cannot_open(errno);
  }
  std::size_t size = 0;
  return check_open_file(file.get(), size);
}

Result<Secret> read_secret_file(const std::string& path, bool trim) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    return Status(Code::kFailedPrecondition, path + ": " + cannot_open(errno).what);
  }
  std::size_t size = 0;
  if (const auto problem = check_open_file(file.get(), size)) {
    return Status(Code::kFailedPrecondition, path + ": " + problem->what + "; " + problem->fix);
  }
  std::vector<char> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.get(), bytes.data() + done, size - done);
    if (got <= 0) {
      return Status(Code::kUnavailable, path + ": the secret file cannot be read");
    }
    done += static_cast<std::size_t>(got);
  }
  if (trim && bytes.back() == '\n') {
    bytes.pop_back();
  }
  return Secret(std::move(bytes));
}

}  // namespace plexsphere::host::config
