// Text that must not be printed, copied or left behind: tokens and keys in their text or raw form.
// Move-only value; zeroes itself. Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "plexsphere/sdk/secret.hpp"

namespace plexsphere::identity {

class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) {
    sdk::zero(other.text_);
  }
  SecretText& operator=(SecretText&& other) noexcept {
    if (this != &other) {
      sdk::zero(text_);
      text_ = std::move(other.text_);
      sdk::zero(other.text_);
    }
    return *this;
  }
  ~SecretText() { sdk::zero(text_); }

  std::string_view view() const { return text_; }

 private:
  std::string text_;
};

}  // namespace plexsphere::identity
