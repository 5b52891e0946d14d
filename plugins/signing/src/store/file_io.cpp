#include "store/file_io.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace plexsphere::signing {
namespace {

constexpr std::size_t kStep = 64 * 1024;

// The file's content, or nothing after a read error.
std::optional<std::string> read_all(int fd, std::size_t limit) {
  std::string text;
  while (text.size() < limit) {
    const std::size_t size = text.size();
    text.resize(std::min(limit, size + std::max(size, kStep)));
    const ssize_t got = read(fd, text.data() + size, text.size() - size);
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::nullopt;
    }
    if (got == 0) {
      break;
    }
  }
  return text;
}

}  // namespace

Fault broken(const std::string& path, const char* step) {
  return {FaultKind::kInternal, path + ": " + step + ": " + std::strerror(errno)};
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

Outcome<std::optional<std::string>> read_file(const Directory& directory, const std::string& name,
                                              std::size_t limit) {
  const int fd = openat(directory.fd, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    if (errno == ENOENT) {
      return std::optional<std::string>();
    }
    return broken(directory.path + "/" + name, "cannot be opened");
  }
  std::optional<std::string> text = read_all(fd, limit);
  const Fault fault = broken(directory.path + "/" + name, "cannot be read");
  close(fd);
  if (!text) {
    return fault;
  }
  return text;
}

Outcome<Done> replace_file(const Directory& directory, const std::string& name,
                           std::string_view text) {
  const std::string fresh = name + ".new";
  const int fd = openat(directory.fd, fresh.c_str(),
                        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return broken(directory.path + "/" + fresh, "cannot be created");
  }
  const bool written = write_all(fd, text) && fsync(fd) == 0;
  const Fault fault = broken(directory.path + "/" + fresh, "cannot be written");
  if (close(fd) != 0 || !written) {
    return fault;
  }
  if (renameat(directory.fd, fresh.c_str(), directory.fd, name.c_str()) != 0 ||
      fsync(directory.fd) != 0) {
    return broken(directory.path + "/" + name, "cannot be replaced");
  }
  return Done{};
}

}  // namespace plexsphere::signing
