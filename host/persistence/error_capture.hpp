// Two small bridges between C error sinks and C++.
//
// Thread safety: a value on one thread's stack. Ownership: owns the copied text.
#pragma once

#include <new>
#include <string>
#include <string_view>

#include "host/persistence/store_error.hpp"
#include "plexsphere/abi/base.h"

namespace plexsphere::host::persistence {

// Receives what a called function puts into its error sink.
class ErrorCapture {
 public:
  ErrorCapture() : sink_{sizeof(px_error), 0, this, &ErrorCapture::set} {}
  ErrorCapture(const ErrorCapture&) = delete;
  ErrorCapture& operator=(const ErrorCapture&) = delete;

  [[nodiscard]] px_error* sink() { return &sink_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  static void set(void* self, px_status /*status*/, px_str reason, px_str detail) {
    auto* capture = static_cast<ErrorCapture*>(self);
    capture->reason_.assign(reason.ptr == nullptr ? "" : reason.ptr, reason.len);
    capture->detail_.assign(detail.ptr == nullptr ? "" : detail.ptr, detail.len);
  }

  px_error sink_;
  std::string reason_;
  std::string detail_;
};

inline px_status report(px_error* sink, px_status status, std::string_view reason,
                        std::string_view detail) {
  if (sink != nullptr && sink->set != nullptr) {
    sink->set(sink->self, status, {reason.data(), reason.size()}, {detail.data(), detail.size()});
  }
  return status;
}

// Runs `work` and turns what it throws into a status and the sink's text: our own words whole, the
// server's never. The catch-all of every C function in this layer.
template <typename Work>
px_status guarded_call(px_error* sink, Work&& work) noexcept {
  try {
    work();
    return PX_OK;
  } catch (const StoreError& error) {
    const std::string_view detail =
        error.is_ours() ? std::string_view{error.what()} : error.public_detail();
    return report(sink, error.status(), error.reason(), detail);
  } catch (const std::bad_alloc&) {
    return report(sink, PX_RESOURCE_EXHAUSTED, "out_of_memory", "The host is out of memory.");
  } catch (...) {
    return report(sink, PX_INTERNAL, "internal", "The host failed unexpectedly.");
  }
}

}  // namespace plexsphere::host::persistence
