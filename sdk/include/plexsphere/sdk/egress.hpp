// HTTP requests to granted hosts. See plexsphere/abi/egress.h for what each call promises.
//
//   sdk::EgressRequest request;
//   request.method = "PUT";
//   request.url = "https://s3.example.com/bucket/key";
//   request.deadline = std::chrono::seconds(30);
//   request.max_response_bytes = 64 * 1024;
//   const auto answer = egress.fetch(request);  // or send(request, [](auto answer) { … })
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plexsphere/abi/egress.h"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

struct EgressResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first header of this lower-case name, or empty.
  std::string_view header(std::string_view name) const {
    for (const auto& [each, value] : headers) {
      if (each == name) {
        return value;
      }
    }
    return {};
  }
};

// Views and strings have to live for the call only. Deadline and ceiling must be set.
struct EgressRequest {
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string_view body = {};
  std::chrono::milliseconds deadline{0};
  uint64_t max_response_bytes = 0;
  struct SigV4 {
    std::string region;
    std::string service;
  };
  std::optional<SigV4> sign = {};
};

// Copyable; any thread.
class Egress {
 public:
  static constexpr std::string_view kName = "px.egress/1";
  using Wire = px_egress;
  using Done = std::function<void(Result<EgressResponse>)>;
  Egress() = default;
  explicit Egress(const px_egress* table) : table_(table) {}

  // `done` is called exactly once after a success, perhaps before this returns, on a thread that
  // all requests share; it must not wait.
  Result<px_egress_id> send(const EgressRequest& request, Done done) const {
    auto kept = std::make_unique<Done>(std::move(done));
    std::vector<px_pair> headers;
    headers.reserve(request.headers.size());
    for (const auto& [name, value] : request.headers) {
      headers.push_back({to_wire(name), to_wire(value)});
    }
    const auto wait = request.deadline.count();
    px_egress_request wire{};
    wire.struct_size = sizeof wire;
    wire.deadline_ms = wait < 0 || wait > UINT32_MAX ? 0 : static_cast<uint32_t>(wait);
    wire.method = to_wire(request.method);
    wire.url = to_wire(request.url);
    wire.headers = headers.data();
    wire.header_count = headers.size();
    wire.body = to_wire_bytes(request.body);
    wire.max_response_bytes = request.max_response_bytes;
    if (request.sign) {
      wire.sigv4_region = to_wire(request.sign->region);
      wire.sigv4_service = to_wire(request.sign->service);
    }
    wire.ctx = kept.get();
    wire.done = &Egress::on_done;
    px_egress_id id = 0;
    ErrorSink sink;
    const px_status status = table_->send(table_->base.self, &wire, &id, sink.wire());
    if (status != PX_OK) {
      return std::move(sink).error(status);
    }
    (void)kept.release();  // on_done frees it
    return id;
  }

  Status cancel(px_egress_id id) const {
    ErrorSink sink;
    return std::move(sink).outcome(table_->cancel(table_->base.self, id, sink.wire()));
  }

  // Waits for the answer. `should_stop` is asked every 100 ms; once true the request is cancelled,
  // and the answer is Code::cancelled. Not from a thread of the host's that completes requests.
  Result<EgressResponse> fetch(const EgressRequest& request,
                               const std::function<bool()>& should_stop = {}) const {
    struct Waiting {
      std::mutex mutex;
      std::condition_variable changed;
      std::optional<Result<EgressResponse>> answer;
    };
    const auto waiting = std::make_shared<Waiting>();  // of this call and of the completion
    const auto sent = send(request, [waiting](Result<EgressResponse> answer) {
      const std::lock_guard lock(waiting->mutex);
      waiting->answer = std::move(answer);
      waiting->changed.notify_all();
    });
    if (!sent.ok()) {
      return sent.error();
    }
    std::unique_lock lock(waiting->mutex);
    bool cancelled = false;
    const auto answered = [&] { return waiting->answer.has_value(); };
    const auto last = std::chrono::steady_clock::now() + request.deadline + kOverdue;
    while (!waiting->changed.wait_for(lock, std::chrono::milliseconds(100), answered)) {
      if (std::chrono::steady_clock::now() > last) {
        return Error{Code::unknown, "no_completion", "The host has not told how it ended."};
      }
      if (!cancelled && should_stop && should_stop()) {
        cancelled = true;
        lock.unlock();
        (void)cancel(*sent);
        lock.lock();
      }
    }
    return std::move(*waiting->answer);
  }

 private:
  // A completion that is this late was lost, for want of memory to hand it on.
  static constexpr std::chrono::seconds kOverdue{10};

  static void on_done(void* ctx, px_status status, const px_egress_response* response,
                      px_str reason, px_str detail) noexcept {
    const std::unique_ptr<Done> done(static_cast<Done*>(ctx));
    try {
      if (status != PX_OK || response == nullptr) {
        (*done)(Error{status == PX_OK ? Code::internal : static_cast<Code>(status),
                      std::string(view(reason)), std::string(view(detail))});
        return;
      }
      EgressResponse out;
      out.status = response->status;
      for (uint64_t i = 0; i < response->header_count; ++i) {
        out.headers.emplace_back(view(response->headers[i].name), view(response->headers[i].value));
      }
      out.body = view(response->body);
      (*done)(std::move(out));
    } catch (...) {
      // There is nobody to tell.
    }
  }

  const px_egress* table_ = nullptr;
};

}  // namespace plexsphere::sdk::inline v1
