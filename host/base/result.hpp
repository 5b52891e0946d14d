// Recoverable failure inside the host: a canonical code and a text for the log.
//
// Thread safety: values. Ownership: none. Invariant: a Result holds either a value or a failed
// Status, never both and never neither.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace plexsphere::host {

// The canonical codes, numbered as gRPC numbers them (google/rpc/code.proto) and as px_status does,
// so that a status crosses the plugin boundary without a translation table.
enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// Stable lower-case name of a code ("not_found"), for logs and metric labels.
const char* code_name(Code code) noexcept;

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const noexcept { return code_ == Code::kOk; }
  explicit operator bool() const noexcept { return ok(); }
  Code code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}           // NOLINT: implicit by design
  Result(Status failure) : status_(std::move(failure)) {  // NOLINT: implicit by design
    if (status_.ok()) {
      status_ = Status(Code::kInternal, "a Result was built from a Status that is not a failure");
    }
  }
  Result(Code code, std::string message) : Result(Status(code, std::move(message))) {}

  bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Status& status() const noexcept { return status_; }

  // Requires ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace plexsphere::host
