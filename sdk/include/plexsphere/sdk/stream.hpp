// Server-sent events to many clients. See plexsphere/abi/stream.h for what each call promises.
//
//   router.add_async({.method = "GET", .path = "/v1/news", .auth = PX_AUTH_OPERATOR},
//                    [this](const sdk::Request&, sdk::Responder responder) {
//                      if (auto opened = streams_.open(responder, {.channels = {"news"}}); !opened)
//                      {
//                        responder.send(sdk::Problem{503, "news_unavailable", "Try again later."});
//                      }
//                    });
//   …
//   streams_.publish("news", {.sequence = 7, .id = "7", .event = "headline", .data = json});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plexsphere/abi/stream.h"
#include "plexsphere/sdk/router.hpp"
#include "plexsphere/sdk/status.hpp"

namespace plexsphere::sdk::inline v1 {

// Views have to live for the call only.
struct StreamFrame {
  uint64_t sequence = 0;  // 0: has none and is sent to everybody
  std::string_view id = {};
  std::string_view event = {};
  std::string_view data = {};  // UTF-8; may have several lines
};

struct StreamOptions {
  std::vector<std::string_view> channels;  // 1 to 16
  Headers headers = {};
  bool held = false;   // queue what is published until `release`
  uint64_t after = 0;  // leave out published frames with a sequence from 1 up to this
  // The stream has ended. Comes once, from any thread, perhaps before `open` has returned; not any
  // more once the plugin is being stopped. Must not wait and must not call Streams.
  std::function<void(px_subscription, px_stream_end)> ended = {};
};

// Copyable; all copies are one. Any thread; no call but `open` may wait. Must live as long as the
// plugin.
class Streams {
 public:
  static constexpr std::string_view kName = "px.stream/1";
  using Wire = px_stream;
  Streams() = default;
  explicit Streams(const px_stream* table)
      : table_(table), callbacks_(std::make_shared<Callbacks>()) {}

  // Answers the request with a stream. On failure the responder is as it was and still owes its
  // answer.
  Result<px_subscription> open(Responder& responder, StreamOptions options) const {
    std::vector<px_pair> headers;
    for (const auto& [name, value] : options.headers) {
      headers.push_back({to_wire(name), to_wire(value)});
    }
    std::vector<px_str> channels;
    for (const std::string_view channel : options.channels) {
      channels.push_back(to_wire(channel));
    }
    const px_responder* request = responder.wire();
    if (request == nullptr) {
      return Error{Code::failed_precondition, "answered", "the request was answered already"};
    }
    Kept* kept = options.ended ? callbacks_->keep(std::move(options.ended)) : nullptr;
    const px_stream_options wire{sizeof(px_stream_options),
                                 options.held ? static_cast<uint32_t>(PX_STREAM_HELD) : 0U,
                                 headers.data(),
                                 headers.size(),
                                 channels.data(),
                                 channels.size(),
                                 options.after,
                                 kept,
                                 kept == nullptr ? nullptr : &Streams::on_ended};
    px_subscription id = 0;
    ErrorSink sink;
    const px_status status = table_->open(table_->base.self, request, &wire, &id, sink.wire());
    if (status != PX_OK) {
      callbacks_->take(kept);
      return std::move(sink).error(status);
    }
    responder.completed();
    return id;
  }

  // To one subscriber, before what is held for it. Code::resource_exhausted: its queue is full, try
  // again later; Code::not_found: it has ended.
  Status send(px_subscription id, const StreamFrame& frame) const {
    const px_stream_frame wire = to_wire_frame(frame);
    ErrorSink sink;
    return std::move(sink).outcome(table_->send(table_->base.self, id, &wire, sink.wire()));
  }
  Status release(px_subscription id) const {
    ErrorSink sink;
    return std::move(sink).outcome(table_->release(table_->base.self, id, sink.wire()));
  }
  // To every subscriber of the channel.
  Status publish(std::string_view channel, const StreamFrame& frame) const {
    const px_stream_frame wire = to_wire_frame(frame);
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->publish(table_->base.self, to_wire(channel), &wire, sink.wire()));
  }
  Status close(px_subscription id) const {
    ErrorSink sink;
    return std::move(sink).outcome(table_->close(table_->base.self, id, sink.wire()));
  }
  Status close_channel(std::string_view channel) const {
    ErrorSink sink;
    return std::move(sink).outcome(
        table_->close_channel(table_->base.self, to_wire(channel), sink.wire()));
  }
  uint64_t subscribers(std::string_view channel) const {
    return table_->subscribers(table_->base.self, to_wire(channel));
  }

 private:
  using Ended = std::function<void(px_subscription, px_stream_end)>;
  struct Callbacks;
  struct Kept {
    Callbacks* home;
    Ended call;
  };
  // What has still to be called; freed with the plugin if the host never does.
  struct Callbacks {
    Kept* keep(Ended call) {
      auto kept = std::make_unique<Kept>(Kept{this, std::move(call)});
      Kept* raw = kept.get();
      const std::lock_guard lock(mutex);
      all.emplace(raw, std::move(kept));
      return raw;
    }
    std::unique_ptr<Kept> take(Kept* kept) {
      const std::lock_guard lock(mutex);
      auto node = all.extract(kept);
      return node.empty() ? nullptr : std::move(node.mapped());
    }

    std::mutex mutex;
    std::unordered_map<Kept*, std::unique_ptr<Kept>> all;
  };

  static void on_ended(void* ctx, px_subscription id, px_stream_end why) noexcept {
    auto* raw = static_cast<Kept*>(ctx);
    const auto kept = raw->home->take(raw);
    try {
      if (kept != nullptr) {
        kept->call(id, why);
      }
    } catch (...) {
      // There is nobody to tell.
    }
  }

  static px_stream_frame to_wire_frame(const StreamFrame& frame) {
    return {sizeof(px_stream_frame), 0, frame.sequence, to_wire(frame.id), to_wire(frame.event),
            to_wire(frame.data)};
  }

  const px_stream* table_ = nullptr;
  std::shared_ptr<Callbacks> callbacks_;  // shared by the copies
};

}  // namespace plexsphere::sdk::inline v1
