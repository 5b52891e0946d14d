#include "host/services/stream_service.hpp"

#include <algorithm>
#include <array>

#include "host/base/error_capture.hpp"
#include "host/http/pipeline/stream_start.hpp"
#include "host/http/stream/detached_connection.hpp"
#include "host/services/table_map.hpp"
#include "host/telemetry/log.hpp"
#include "plexsphere/abi/stream.h"

namespace plexsphere::host::services {
namespace {

constexpr std::uint64_t kMostChannels = 16;
constexpr std::uint64_t kMostChannelName = 128;
// What the provider waits for streams at the drain. They are told at once; those that linger are
// requests whose connection is still on its way, and plugins need the rest of the time.
constexpr std::chrono::seconds kDrainWait{1};

px_status report(px_error* err, const Status& status, std::string_view reason) {
  return host::report(err, static_cast<px_status>(status.code()), reason, status.message());
}

Status invalid(std::string message) {
  return {Code::kInvalidArgument, std::move(message)};
}

// Headers that the host or the engine writes itself.
bool belongs_to_host(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOwn{
      "content-type", "cache-control", "content-length", "connection", "date", "transfer-encoding"};
  return std::any_of(kOwn.begin(), kOwn.end(),
                     [name](std::string_view own) { return http::equal_ignoring_case(name, own); });
}

Result<http::Response> stream_head(const px_stream_options& options) {
  http::Response head;
  head.status = 200;
  head.content_type = "text/event-stream";
  head.set_header("Cache-Control", "no-cache");
  for (std::uint64_t i = 0; i < options.header_count; ++i) {
    const px_pair& pair = options.headers[i];
    if (belongs_to_host(view(pair.name))) {
      return invalid("the header " + text(pair.name) + " of a stream is the host's");
    }
    head.headers.emplace_back(text(pair.name), text(pair.value));
  }
  return head;
}

struct StreamTable {
  StreamTable(const PluginContext& the_plugin, http::StreamHub& the_hub)
      : wire{{sizeof(px_stream), 1, this}, &StreamTable::open,       &StreamTable::send,
             &StreamTable::release,        &StreamTable::publish,    &StreamTable::close,
             &StreamTable::close_channel,  &StreamTable::subscribers},
        plugin(the_plugin),
        hub(the_hub) {}

  static StreamTable& of(void* self) { return *static_cast<StreamTable*>(self); }

  // Runs `body`, which returns a Status, behind the boundary. `reason` is given with a failure.
  template <typename Body>
  static px_status guard(px_error* err, std::string_view reason, Body&& body) noexcept {
    try {
      const Status status = body();
      return status.ok() ? PX_OK : report(err, status, reason);
    } catch (...) {
      return host::report(err, PX_INTERNAL, "internal", "the stream service failed");
    }
  }

  static px_status open(void* self, const px_responder* responder, const px_stream_options* options,
                        px_subscription* out, px_error* err) noexcept {
    return guard(err, "stream_not_opened",
                 [&] { return of(self).open_stream(responder, options, out); });
  }

  static px_status send(void* self, px_subscription id, const px_stream_frame* frame,
                        px_error* err) noexcept {
    return guard(err, "frame_not_sent", [&]() -> Status {
      const auto rendered = render(frame);
      return rendered ? of(self).hub.send(of(self).owner(), id, *rendered) : rendered.status();
    });
  }

  static px_status release(void* self, px_subscription id, px_error* err) noexcept {
    return guard(err, "stream_ended", [&] { return of(self).hub.release(of(self).owner(), id); });
  }

  static px_status publish(void* self, px_str channel, const px_stream_frame* frame,
                           px_error* err) noexcept {
    return guard(err, "frame_not_published", [&]() -> Status {
      const auto rendered = render(frame);
      return rendered ? of(self).hub.publish(of(self).own(channel), *rendered) : rendered.status();
    });
  }

  static px_status close(void* self, px_subscription id, px_error* err) noexcept {
    return guard(err, "stream_ended", [&] { return of(self).hub.close(of(self).owner(), id); });
  }

  static px_status close_channel(void* self, px_str channel, px_error* err) noexcept {
    return guard(err, "internal", [&]() -> Status {
      of(self).hub.close_channel(of(self).own(channel));
      return {};
    });
  }

  static std::uint64_t subscribers(void* self, px_str channel) noexcept {
    try {
      return of(self).hub.subscribers(of(self).own(channel));
    } catch (...) {
      return 0;
    }
  }

  const void* owner() const { return &plugin; }

  // Channels of two plugins never meet: an id of a plugin holds no slash.
  std::string own(px_str channel) const { return plugin.manifest.id + "/" + text(channel); }

  static Result<http::FramePtr> render(const px_stream_frame* frame) {
    if (frame == nullptr || !PX_HAS(frame, px_stream_frame, data)) {
      return invalid("there is no frame, or its struct_size is too small");
    }
    return http::render({frame->sequence, view(frame->id), view(frame->event), view(frame->data)});
  }

  Result<http::Subscription> subscription(const px_stream_options& options) const {
    if (options.channel_count == 0 || options.channel_count > kMostChannels) {
      return invalid("a stream has 1 to 16 channels, not " + std::to_string(options.channel_count));
    }
    http::Subscription wanted;
    wanted.owner = owner();
    wanted.held = (options.flags & PX_STREAM_HELD) != 0;
    wanted.after = options.after;
    for (std::uint64_t i = 0; i < options.channel_count; ++i) {
      const px_str name = options.channels[i];
      if (name.len == 0 || name.len > kMostChannelName) {
        return invalid("the name of a channel has 1 to 128 bytes, not " + std::to_string(name.len));
      }
      wanted.channels.push_back(own(name));
    }
    std::sort(wanted.channels.begin(), wanted.channels.end());
    if (std::adjacent_find(wanted.channels.begin(), wanted.channels.end()) !=
        wanted.channels.end()) {
      return invalid("a channel is named twice");
    }
    if (options.ended != nullptr) {
      wanted.ended = [call = options.ended, ctx = options.ctx](http::StreamId id,
                                                               http::StreamEnd why) {
        call(ctx, id, static_cast<px_stream_end>(why));
      };
    }
    return wanted;
  }

  Status open_stream(const px_responder* responder, const px_stream_options* options,
                     px_subscription* out) {
    if (responder == nullptr || out == nullptr || options == nullptr ||
        !PX_HAS(options, px_stream_options, ended)) {
      return invalid("there are no options, or their struct_size is too small");
    }
    auto wanted = subscription(*options);
    if (!wanted) {
      return wanted.status();
    }
    auto head = stream_head(*options);
    if (!head) {
      return head.status();
    }
    const auto id = hub.reserve(std::move(*wanted));
    if (!id) {
      return id.status();
    }
    *out = *id;  // first, for `ended` may be called before open has returned
    const Status begun = http::start_stream(
        *responder, std::move(*head),
        [to = &hub, number = *id](std::optional<http::DetachedConnection>&& connection) {
          if (connection) {
            to->attach(number, std::move(*connection));
          } else {
            to->abandon(number);
          }
        });
    if (!begun) {
      hub.forget(*id);
      *out = 0;
    }
    return begun;
  }

  px_stream wire;
  const PluginContext& plugin;
  http::StreamHub& hub;
};

class Service final : public ServiceProvider {
 public:
  Service(HostContext& host, http::StreamHub& hub) : host_(host), hub_(hub) {}

  std::string_view name() const noexcept override { return "px.stream/1"; }
  const px_table* table_for(const PluginContext& plugin) override {
    return plugin.manifest.capabilities.routes ? as_table(tables_.get(plugin, plugin, hub_).wire)
                                               : nullptr;
  }
  void withdrawn(const PluginContext& plugin) noexcept override {
    if (tables_.find(plugin) != nullptr) {
      hub_.withdraw(&plugin);
    }
  }
  void draining(std::chrono::steady_clock::time_point deadline) override {
    const auto now = std::chrono::steady_clock::now();
    if (!hub_.drain(std::min(deadline, now + kDrainWait))) {
      host_.log.warn("http.streams_not_drained", {{"streams", hub_.subscribers()}});
    }
  }

 private:
  HostContext& host_;
  http::StreamHub& hub_;
  TableMap<StreamTable> tables_;
};

}  // namespace

std::unique_ptr<ServiceProvider> make_stream_service(HostContext& host, http::StreamHub& hub) {
  return std::make_unique<Service>(host, hub);
}

}  // namespace plexsphere::host::services
