#include "host/loader/file_trust.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace plexsphere::host::loader {
namespace {

namespace fs = std::filesystem;

Status untrusted(const std::string& path, const std::string& what) {
  return {Code::kPermissionDenied, "'" + path + "' " + what};
}

Status check(int descriptor, const std::string& path, uid_t trusted_owner, bool is_directory) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) {
    return untrusted(path, "cannot be examined: " + error_text(errno));
  }
  if (!is_directory && !S_ISREG(info.st_mode)) {
    return untrusted(path, "is no regular file: install the plugin again");
  }
  if (info.st_uid != 0 && info.st_uid != trusted_owner) {
    return untrusted(path, "belongs to user " + std::to_string(info.st_uid) +
                               ", not to root or the trusted owner " +
                               std::to_string(trusted_owner) +
                               ": chown it, or set trusted_owner under [plugins]");
  }
  const bool sticky = is_directory && info.st_uid == 0 && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky) {
    return untrusted(path, "may be written by others than its owner: chmod go-w it");
  }
  return {};
}

Result<FileDescriptor> open_at(int parent, const std::string& name, const std::string& path,
                               uid_t trusted_owner, bool is_directory) {
  const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (is_directory ? O_DIRECTORY : O_NONBLOCK);
  FileDescriptor descriptor(::openat(parent, name.c_str(), flags));
  if (!descriptor) {
    const int error = errno;
    if (error == ELOOP || (error == ENOTDIR && is_directory)) {
      return untrusted(path, "is a symbolic link or no directory: install the real file there");
    }
    return Status(error == ENOENT ? Code::kNotFound : Code::kPermissionDenied,
                  "'" + path + "' cannot be opened: " + error_text(error));
  }
  if (auto status = check(descriptor.get(), path, trusted_owner, is_directory); !status) {
    return status;
  }
  return descriptor;
}

}  // namespace

Result<FileDescriptor> open_trusted(const fs::path& directory, const std::string& id,
                                    const std::string& name, uid_t trusted_owner) {
  std::error_code error;
  const fs::path real = fs::canonical(directory, error);
  if (error) {
    return Status(Code::kNotFound, "the plugin directory '" + directory.string() +
                                       "' cannot be reached: " + error.message());
  }
  fs::path so_far = "/";
  auto current = open_at(AT_FDCWD, "/", "/", trusted_owner, true);
  for (const auto& part : (real / id).relative_path()) {
    if (!current) {
      return current;
    }
    so_far /= part;
    current = open_at(current->get(), part.string(), so_far.string(), trusted_owner, true);
  }
  if (!current) {
    return current;
  }
  return open_at(current->get(), name, (so_far / name).string(), trusted_owner, false);
}

}  // namespace plexsphere::host::loader
