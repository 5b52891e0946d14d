// A directory of one test's own, gone when the test is.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace plexsphere::test_support {

// Creates a fresh directory below $TMPDIR (or /tmp), mode 0700, with a name short enough for unix
// sockets inside it; removes it with everything in it on destruction. Owns the directory. Not
// thread-safe; movable so that fixtures can hand it on.
class TempDir {
 public:
  // Throws std::system_error when the directory cannot be made.
  TempDir();
  ~TempDir();
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Hands the directory itself (not its contents) to another user; needs root.
  void give_to(uid_t user, gid_t group) const;
  // Writes `text` to `name` inside the directory and returns the full path; the mode is 0644.
  std::filesystem::path write(std::string_view name, std::string_view text) const;

 private:
  std::filesystem::path path_;
};

// The whole of a file, or an empty string when it does not exist.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace plexsphere::test_support
