// Both ends of px_error: catching what a plugin reports, and reporting to a plugin.
#pragma once

#include <string>
#include <string_view>

#include "host/base/result.hpp"
#include "host/base/wire_text.hpp"
#include "plexsphere/abi/base.h"

namespace plexsphere::host {

// Receives the reason of one call into a plugin. Not copyable: the wire points at it.
class ErrorCapture {
 public:
  ErrorCapture() : wire_{sizeof(px_error), 0, this, &ErrorCapture::set} {}
  ErrorCapture(const ErrorCapture&) = delete;
  ErrorCapture& operator=(const ErrorCapture&) = delete;

  px_error* wire() { return &wire_; }
  const std::string& reason() const { return reason_; }
  const std::string& detail() const { return detail_; }

  // What the call came to: its status with "reason: detail" as text.
  Status outcome(px_status status) const {
    if (status == PX_OK) {
      return {};
    }
    const bool known = status >= PX_CANCELLED && status <= PX_UNAUTHENTICATED;
    std::string message = reason_;
    if (!detail_.empty()) {
      message += (message.empty() ? "" : ": ") + detail_;
    }
    return {known ? static_cast<Code>(status) : Code::kUnknown,
            message.empty() ? "no reason given" : message};
  }

 private:
  static void set(void* self, px_status, px_str reason, px_str detail) noexcept {
    try {
      auto* capture = static_cast<ErrorCapture*>(self);
      capture->reason_ = text(reason);
      capture->detail_ = text(detail);
    } catch (...) {
      // Without memory for the text the status alone has to do.
    }
  }

  px_error wire_;
  std::string reason_;
  std::string detail_;
};

// For functions the host offers: tells the caller why and returns the status to return.
inline px_status report(px_error* err, px_status status, std::string_view reason,
                        std::string_view detail) noexcept {
  if (err != nullptr && err->set != nullptr) {
    err->set(err->self, status, wire(reason), wire(detail));
  }
  return status;
}

}  // namespace plexsphere::host
