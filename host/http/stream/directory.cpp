#include "host/http/stream/directory.hpp"

#include <iterator>

namespace plexsphere::host::http::detail {
namespace {

Status ended() {
  return {Code::kNotFound, "the stream has ended"};
}

}  // namespace

Directory::Directory(const StreamHubOptions& options, HubMetrics& metrics,
                     std::function<void()> wake)
    : options_(options), metrics_(metrics), wake_(std::move(wake)) {}

Result<StreamId> Directory::reserve(Subscription subscription) {
  const std::lock_guard lock(mutex_);
  if (draining_ || withdrawn_.contains(subscription.owner)) {
    return Status(Code::kCancelled, "no further stream is opened: the host is leaving");
  }
  if (by_id_.size() >= options_.max_subscribers) {
    metrics_.refused.Increment();
    return Status(Code::kResourceExhausted,
                  "there are " + std::to_string(by_id_.size()) + " streams, which is the most");
  }
  auto who = std::make_shared<Subscriber>(++last_id_, subscription);
  who->channels.reserve(subscription.channels.size());
  for (const std::string& name : subscription.channels) {
    who->channels.push_back({channel(name), 0});
    ++who->channels.back().channel->subscribers;
  }
  by_id_.emplace(who->id, who);
  post(Join{who});
  return who->id;
}

void Directory::attach(StreamId id, DetachedConnection connection) {
  auto owned = std::make_unique<DetachedConnection>(std::move(connection));
  const std::lock_guard lock(mutex_);
  if (auto who = find(id)) {
    post(Attach{std::move(who), std::move(owned)});
  }
}

void Directory::abandon(StreamId id) {
  const std::lock_guard lock(mutex_);
  if (auto who = find(id)) {
    post(Abandon{std::move(who)});
  }
}

void Directory::forget(StreamId id) {
  const std::lock_guard lock(mutex_);
  if (auto who = find(id)) {
    post(Forget{std::move(who)});
  }
}

Status Directory::send(const void* owner, StreamId id, const FramePtr& frame) {
  const std::lock_guard lock(mutex_);
  auto who = find_open(owner, id);
  if (who == nullptr) {
    return ended();
  }
  if (!who->outlet.reserve_room(frame->bytes.size(),
                                {options_.queue_frames, options_.queue_bytes})) {
    metrics_.queue_full.Increment();
    return {Code::kResourceExhausted, "the queue of the stream is full"};
  }
  post(Send{std::move(who), frame});
  return {};
}

Status Directory::release(const void* owner, StreamId id) {
  const std::lock_guard lock(mutex_);
  auto who = find_open(owner, id);
  if (who == nullptr) {
    return ended();
  }
  post(Release{std::move(who)});
  return {};
}

Status Directory::publish(std::string_view channel, const FramePtr& frame) {
  const std::size_t size = frame->bytes.size();
  const std::lock_guard lock(mutex_);
  const auto found = channels_.find(channel);
  if (found == channels_.end()) {
    return {};
  }
  if (published_frames_ >= options_.inbox_frames ||
      (published_frames_ > 0 && published_bytes_ + size > options_.inbox_bytes)) {
    metrics_.inbox_full.Increment();
    return {Code::kResourceExhausted, "more is published than can be sent; nobody was sent this"};
  }
  ++published_frames_;
  published_bytes_ += size;
  post(Publish{found->second, frame, std::chrono::steady_clock::now()});
  return {};
}

Status Directory::close(const void* owner, StreamId id) {
  const std::lock_guard lock(mutex_);
  auto who = find_open(owner, id);
  if (who == nullptr) {
    return ended();
  }
  who->closed = true;
  post(Close{std::move(who)});
  return {};
}

void Directory::close_channel(std::string_view channel) {
  const std::lock_guard lock(mutex_);
  const auto found = channels_.find(channel);
  if (found != channels_.end()) {
    post(CloseChannel{found->second});
  }
}

std::size_t Directory::subscribers(std::string_view channel) const {
  const std::lock_guard lock(mutex_);
  const auto found = channels_.find(channel);
  return found == channels_.end() ? 0 : found->second->subscribers;
}

std::size_t Directory::subscribers() const {
  const std::lock_guard lock(mutex_);
  return by_id_.size();
}

void Directory::withdraw(const void* owner) {
  std::promise<void> done;
  {
    const std::lock_guard lock(mutex_);
    withdrawn_.insert(owner);
    post(Withdraw{owner, &done});
  }
  done.get_future().wait();
}

bool Directory::drain(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  draining_ = true;
  post(Drain{});
  return empty_.wait_until(lock, deadline, [this] { return by_id_.empty(); });
}

void Directory::take(std::deque<Command>& work) {
  const std::lock_guard lock(mutex_);
  if (work.empty()) {
    work.swap(inbox_);
    return;
  }
  std::move(inbox_.begin(), inbox_.end(), std::back_inserter(work));
  inbox_.clear();
}

void Directory::published(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  --published_frames_;
  published_bytes_ -= bytes;
}

void Directory::left_channels(Subscriber& who) {
  const std::lock_guard lock(mutex_);
  leave(who);
}

SubscriberPtr Directory::remove(Subscriber& who) {
  const std::lock_guard lock(mutex_);
  leave(who);
  auto node = by_id_.extract(who.id);
  if (by_id_.empty()) {
    empty_.notify_all();
  }
  return node.empty() ? nullptr : std::move(node.mapped());
}

std::vector<SubscriberPtr> Directory::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<SubscriberPtr> out;
  out.reserve(by_id_.size());
  for (const auto& [id, who] : by_id_) {
    out.push_back(who);
  }
  return out;
}

SubscriberPtr Directory::find(StreamId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

SubscriberPtr Directory::find_open(const void* owner, StreamId id) const {
  auto who = find(id);
  return who != nullptr && who->owner == owner && !who->closed ? who : nullptr;
}

std::shared_ptr<Channel> Directory::channel(const std::string& name) {
  auto& slot = channels_[name];
  if (slot == nullptr) {
    slot = std::make_shared<Channel>(name);
  }
  return slot;
}

void Directory::leave(Subscriber& who) {
  who.closed = true;
  if (!who.counted_in_channels) {
    return;
  }
  who.counted_in_channels = false;
  for (const Membership& member : who.channels) {
    if (--member.channel->subscribers == 0) {
      channels_.erase(member.channel->name);
    }
  }
}

void Directory::post(Command command) {
  inbox_.push_back(std::move(command));
  if (inbox_.size() == 1) {
    wake_();
  }
}

}  // namespace plexsphere::host::http::detail
