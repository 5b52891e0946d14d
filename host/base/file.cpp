#include "host/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace plexsphere::host {
namespace {

Status failed(const std::string& what, const std::string& path) {
  return {Code::kFailedPrecondition, "cannot " + what + " '" + path + "': " + error_text(errno)};
}

Status write_all(int descriptor, const std::string& content, const std::string& path) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t put = ::write(descriptor, content.data() + done, content.size() - done);
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put < 0) {
      return failed("write", path);
    }
    done += static_cast<std::size_t>(put);
  }
  return {};
}

}  // namespace

std::string error_text(int error) {
  return std::generic_category().message(error);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Status write_file_atomically(const std::string& path, const std::string& content) {
  std::string temporary = path + ".XXXXXX";
  const FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) {
    return failed("create a file beside", path);
  }
  Status status = write_all(file.get(), content, temporary);
  if (status && (::fchmod(file.get(), 0644) != 0 || ::fsync(file.get()) != 0)) {
    status = failed("flush", temporary);
  }
  if (status && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = failed("rename a file to", path);
  }
  if (!status) {
    ::unlink(temporary.c_str());
  }
  return status;
}

}  // namespace plexsphere::host
