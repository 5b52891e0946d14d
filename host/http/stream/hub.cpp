#include "host/http/stream/hub.hpp"

#include "host/http/stream/hub_loop.hpp"

namespace plexsphere::host::http {

struct StreamHub::Impl {
  Impl(telemetry::Logger& log, telemetry::Metrics& metrics, const StreamHubOptions& options)
      : loop(log, metrics, options) {}

  detail::HubLoop loop;
  detail::Directory& directory = loop.directory();
};

StreamHub::StreamHub(telemetry::Logger& log, telemetry::Metrics& metrics, StreamHubOptions options)
    : impl_(std::make_unique<Impl>(log, metrics, options)) {}

StreamHub::~StreamHub() = default;

Result<StreamId> StreamHub::reserve(Subscription subscription) {
  return impl_->directory.reserve(std::move(subscription));
}

void StreamHub::attach(StreamId id, DetachedConnection connection) {
  impl_->directory.attach(id, std::move(connection));
}

void StreamHub::abandon(StreamId id) {
  impl_->directory.abandon(id);
}

void StreamHub::forget(StreamId id) {
  impl_->directory.forget(id);
}

Status StreamHub::send(const void* owner, StreamId id, const FramePtr& frame) {
  return impl_->directory.send(owner, id, frame);
}

Status StreamHub::release(const void* owner, StreamId id) {
  return impl_->directory.release(owner, id);
}

Status StreamHub::publish(std::string_view channel, const FramePtr& frame) {
  return impl_->directory.publish(channel, frame);
}

Status StreamHub::close(const void* owner, StreamId id) {
  return impl_->directory.close(owner, id);
}

void StreamHub::close_channel(std::string_view channel) {
  impl_->directory.close_channel(channel);
}

std::size_t StreamHub::subscribers(std::string_view channel) const {
  return impl_->directory.subscribers(channel);
}

std::size_t StreamHub::subscribers() const {
  return impl_->directory.subscribers();
}

void StreamHub::withdraw(const void* owner) {
  impl_->directory.withdraw(owner);
}

bool StreamHub::drain(std::chrono::steady_clock::time_point deadline) {
  return impl_->directory.drain(deadline);
}

}  // namespace plexsphere::host::http
