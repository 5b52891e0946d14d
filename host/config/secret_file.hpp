// Secrets that the operator keeps in files of their own.
//
// Thread safety: free functions are safe from any thread; a Secret belongs to one thread at a time.
// Ownership: Secret owns its bytes and zeroes them when it goes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/result.hpp"

namespace plexsphere::host::config {

inline constexpr std::size_t kSecretFileLimit = 64 * 1024;  // bytes

// Bytes that are zeroed on destruction, never printed and never copied.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::vector<char> bytes) : bytes_(std::move(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  bool empty() const { return bytes_.empty(); }

 private:
  void wipe() noexcept;

  std::vector<char> bytes_;
};

struct SecretFileProblem {
  std::string what;
  std::string fix;
};

// What keeps the file from being used as a secret: unreadable, not a regular file, empty, above
// kSecretFileLimit, or open to others (any permission for "others", or write for the group).
std::optional<SecretFileProblem> check_secret_file(const std::string& path);

// The content, exactly as stored. Errors as check_secret_file. One trailing newline is dropped when
// `trim` is set, since editors add it.
Result<Secret> read_secret_file(const std::string& path, bool trim = true);

}  // namespace plexsphere::host::config
