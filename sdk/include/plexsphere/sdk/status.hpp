// Canonical status codes, errors with a reason, and Result: how every recoverable failure travels.
#pragma once

#include <cassert>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "plexsphere/abi/base.h"

namespace plexsphere::sdk::inline v1 {

// Numbered as PX_…, where each says when to use it.
enum class Code : px_status {
  ok = PX_OK,
  cancelled = PX_CANCELLED,
  unknown = PX_UNKNOWN,
  invalid_argument = PX_INVALID_ARGUMENT,
  deadline_exceeded = PX_DEADLINE_EXCEEDED,
  not_found = PX_NOT_FOUND,
  already_exists = PX_ALREADY_EXISTS,
  permission_denied = PX_PERMISSION_DENIED,
  resource_exhausted = PX_RESOURCE_EXHAUSTED,
  failed_precondition = PX_FAILED_PRECONDITION,
  aborted = PX_ABORTED,
  out_of_range = PX_OUT_OF_RANGE,
  unimplemented = PX_UNIMPLEMENTED,
  internal = PX_INTERNAL,
  unavailable = PX_UNAVAILABLE,
  data_loss = PX_DATA_LOSS,
  unauthenticated = PX_UNAUTHENTICATED,
};

// Why something failed. `reason` is a stable token; `detail` is for people and never holds a
// secret.
struct Error {
  Code code = Code::internal;
  std::string reason;
  std::string detail;

  bool operator==(const Error&) const = default;
};

// A value or an Error; never both, never neither.
template <typename T = void>
class [[nodiscard]] Result {
 public:
  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return checked(*this); }
  const T& value() const& { return checked(*this); }
  T&& value() && { return std::move(checked(*this)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!ok());
    return std::get<1>(state_);
  }

 private:
  template <typename Self>
  static auto& checked(Self& self) {
    assert(self.ok());
    return std::get<0>(self.state_);
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

inline px_str to_wire(std::string_view text) {
  return {text.data(), text.size()};
}
inline px_bytes to_wire_bytes(std::string_view bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}
inline std::string_view view(px_str text) {
  return text.len == 0 ? std::string_view{} : std::string_view(text.ptr, text.len);
}
inline std::string_view view(px_bytes bytes) {
  return bytes.len == 0 ? std::string_view{}
                        : std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}

// Collects what a callee puts into its error sink. Lives for one call.
class ErrorSink {
 public:
  ErrorSink() : wire_{sizeof(px_error), 0, this, &ErrorSink::set} {}
  ErrorSink(const ErrorSink&) = delete;
  ErrorSink& operator=(const ErrorSink&) = delete;

  px_error* wire() { return &wire_; }

  // The outcome of a call that returned `status`.
  Status outcome(px_status status) && {
    if (status == PX_OK) {
      return {};
    }
    error_.code = static_cast<Code>(status);
    return std::move(error_);
  }
  Error error(px_status status) && {
    error_.code = static_cast<Code>(status);
    return std::move(error_);
  }

 private:
  static void set(void* self, px_status, px_str reason, px_str detail) {
    auto& error = static_cast<ErrorSink*>(self)->error_;
    error.reason = view(reason);
    error.detail = view(detail);
  }

  px_error wire_;
  Error error_;
};

// Reports `error` into a sink that may be null, and yields its wire status.
inline px_status report(px_error* sink, const Error& error) noexcept {
  const auto status = static_cast<px_status>(error.code == Code::ok ? Code::internal : error.code);
  if (sink != nullptr && sink->set != nullptr) {
    sink->set(sink->self, status, to_wire(error.reason), to_wire(error.detail));
  }
  return status;
}

// Runs `body` (returning Status) behind a boundary that nothing may be thrown across.
template <typename Body>
px_status guard(px_error* sink, Body&& body) noexcept {
  try {
    const Status status = std::forward<Body>(body)();
    return status.ok() ? PX_OK : report(sink, status.error());
  } catch (const std::exception& e) {
    try {
      return report(sink, {Code::internal, "exception", e.what()});
    } catch (...) {
      return PX_INTERNAL;
    }
  } catch (...) {
    return PX_INTERNAL;
  }
}

}  // namespace plexsphere::sdk::inline v1
