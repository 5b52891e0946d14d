// Small helpers over POSIX files.
#pragma once

#include <string>
#include <utility>

#include "host/base/result.hpp"

namespace plexsphere::host {

// Text of an errno value. Safe from any thread, unlike strerror.
std::string error_text(int error);

// Owns one descriptor; negative means none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int get() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

// Writes `content` to a temporary file beside `path`, flushes it and renames it over `path`, so
// that a reader sees the whole content or the old file, never a part.
Status write_file_atomically(const std::string& path, const std::string& content);

}  // namespace plexsphere::host
