#include "host/http/stream/hub_loop.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace plexsphere::host::http::detail {
namespace {

using Clock = std::chrono::steady_clock;

// Sends between two looks at the connections: a queue must not fill up merely because nobody
// looked whether its socket had room again.
constexpr std::size_t kSendsInTurn = 1024;
constexpr std::size_t kEventsInTurn = 512;

std::int64_t milliseconds_since(Clock::time_point then) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then).count();
}

}  // namespace

HubLoop::Descriptor::Descriptor(int descriptor, const char* what) : descriptor_(descriptor) {
  if (descriptor < 0) {
    throw std::system_error(errno, std::generic_category(), what);
  }
}

HubLoop::Descriptor::~Descriptor() {
  ::close(descriptor_);
}

HubLoop::HubLoop(telemetry::Logger& log, telemetry::Metrics& metrics,
                 const StreamHubOptions& options)
    : options_(options),
      limits_{options.queue_frames, options.queue_bytes},
      log_(log),
      metrics_(metrics),
      epoll_(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1 for the stream hub"),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd for the stream hub"),
      directory_(options, metrics_, [this] { wake(); }),
      wheel_(options.keep_alive, Clock::now()) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl for the stream hub");
  }
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "streams");
    run();
  });
}

HubLoop::~HubLoop() {
  stopping_ = true;
  wake();
  thread_.join();
}

void HubLoop::wake() const {
  const std::uint64_t one = 1;
  // It can only fail when it was woken 2^64 times already.
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof(one));
}

void HubLoop::run() {
  while (!stopping_) {
    wait();
    directory_.take(work_);
    work();
    keep_alives();
    end_turn();
  }
  directory_.take(work_);
  while (!work_.empty()) {
    work();
  }
  for (const SubscriberPtr& who : directory_.all()) {
    if (who->opened == Clock::time_point{}) {
      who->opened = Clock::now();  // no connection will come any more
    }
    say_goodbye(*who, StreamEnd::kClosed);
    ended(*who, StreamEnd::kClosed);
  }
  end_turn();
}

void HubLoop::wait() {
  std::array<epoll_event, kEventsInTurn> events{};
  const int count =
      ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout());
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      std::uint64_t times = 0;
      [[maybe_unused]] const auto got = ::read(wake_.get(), &times, sizeof(times));
    } else {
      on_event(*static_cast<Subscriber*>(event.data.ptr), event.events);
    }
  }
}

// Milliseconds until something is due; -1: nothing is.
int HubLoop::timeout() const {
  if (!work_.empty()) {
    return 0;
  }
  const auto next = wheel_.next();
  if (!next) {
    return -1;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void HubLoop::on_event(Subscriber& who, std::uint32_t events) {
  if (who.gone) {
    return;
  }
  const bool heard = (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (heard && ((events & (EPOLLERR | EPOLLHUP)) != 0 || !who.outlet.drop_input())) {
    ended(who, StreamEnd::kClientLeft);
    return;
  }
  settle(who, who.outlet.flush());
}

void HubLoop::work() {
  std::size_t sends = 0;
  while (!work_.empty() && sends < kSendsInTurn) {
    if (std::holds_alternative<Publish>(work_.front())) {
      sends += fan_out();
      continue;
    }
    Command command = std::move(work_.front());
    work_.pop_front();
    std::visit([this](auto& what) { carry_out(what); }, command);
    ++sends;
  }
}

void HubLoop::keep_alives() {
  if (!wheel_.next()) {
    return;
  }
  for (Subscriber* who : wheel_.due(Clock::now())) {
    settle(*who, who->outlet.comment(keep_alive_));
  }
}

// What must wait until nothing of this turn refers to a stream that ended in it.
void HubLoop::end_turn() {
  if (sent_in_turn_ > 0) {
    metrics_.frames_sent.Increment(static_cast<double>(sent_in_turn_));
    sent_in_turn_ = 0;
  }
  for (const Ended& one : ended_) {
    try {
      one.call(one.id, one.why);
    } catch (...) {
      log_.error("http.stream_callback_threw");
    }
  }
  ended_.clear();
  graveyard_.clear();
}

void HubLoop::carry_out(Join& join) {
  for (Membership& member : join.who->channels) {
    member.position = static_cast<std::uint32_t>(member.channel->members.size());
    member.channel->members.push_back(join.who.get());
  }
  join.who->in_channels = true;
}

void HubLoop::carry_out(Attach& attach) {
  Subscriber& who = *attach.who;
  who.opened = Clock::now();
  who.peer = std::move(attach.connection->peer);
  who.outlet.attach(std::move(*attach.connection), options_.send_buffer);
  metrics_.opened.Increment();
  metrics_.subscribers.Set(static_cast<double>(++attached_));
  wheel_.add(who);
  who.in_wheel = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &who;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, who.outlet.descriptor(), &event) != 0) {
    ended(who, StreamEnd::kClientLeft);
    return;
  }
  settle(who, who.outlet.flush());
  if (!who.gone && who.closing != StreamEnd::kNone) {
    say_goodbye(who, who.closing);
    ended(who, who.closing);
  }
}

void HubLoop::carry_out(Abandon& abandon) {
  metrics_.opened.Increment();
  abandon.who->opened = Clock::now();
  ended(*abandon.who, StreamEnd::kClientLeft);
}

void HubLoop::carry_out(Forget& forget) {
  Subscriber& who = *forget.who;
  leave_channels(who);
  who.gone = true;
  graveyard_.push_back(directory_.remove(who));
}

void HubLoop::carry_out(Send& send) {
  if (!send.who->gone) {
    settle(*send.who, send.who->outlet.append(send.frame));
  }
}

void HubLoop::carry_out(Release& release) {
  if (!release.who->gone) {
    settle(*release.who, release.who->outlet.release());
  }
}

void HubLoop::carry_out(Publish&) {}  // fan_out takes them

void HubLoop::carry_out(Close& close) {
  Subscriber& who = *close.who;
  if (!who.gone) {
    say_goodbye(who, StreamEnd::kClosed);
    ended(who, StreamEnd::kClosed);
  }
}

void HubLoop::carry_out(CloseChannel& close) {
  auto& members = close.channel->members;
  while (!members.empty()) {
    Subscriber& who = *members.back();
    say_goodbye(who, StreamEnd::kClosed);
    ended(who, StreamEnd::kClosed);
  }
}

void HubLoop::carry_out(Withdraw& withdraw) {
  std::erase_if(ended_, [&](const Ended& one) { return one.owner == withdraw.owner; });
  for (const SubscriberPtr& who : directory_.all()) {
    if (who->owner == withdraw.owner) {
      who->ended = nullptr;
      say_goodbye(*who, StreamEnd::kClosed);
      ended(*who, StreamEnd::kClosed);
    }
  }
  withdraw.done->set_value();
}

void HubLoop::carry_out(Drain&) {
  const auto all = directory_.all();
  draining_ = std::max(draining_, all.size());
  for (const SubscriberPtr& who : all) {
    say_goodbye(*who, StreamEnd::kDraining);
    ended(*who, StreamEnd::kDraining);
  }
}

// Writes the frames at the head of the work to their channel: as many as follow each other there
// for the same channel, so that a burst costs each client one call to the kernel. Returns the
// number of clients written to.
std::size_t HubLoop::fan_out() {
  const auto channel = std::get<Publish>(work_.front()).channel;
  std::array<FramePtr, kBatch> frames;
  std::array<Clock::time_point, kBatch> published{};
  std::size_t count = 0;
  while (count < kBatch && !work_.empty()) {
    auto* next = std::get_if<Publish>(&work_.front());
    if (next == nullptr || next->channel != channel) {
      break;
    }
    published[count] = next->at;
    frames[count++] = std::move(next->frame);
    work_.pop_front();
  }
  const std::span<const FramePtr> run(frames.data(), count);
  const std::size_t clients = channel->members.size();
  // From the end, because one that ends here gives its place to the last, which was served already.
  for (std::size_t i = clients; i-- > 0;) {
    Subscriber& who = *channel->members[i];
    settle(who, who.outlet.offer(run, limits_));
  }
  const auto now = Clock::now();
  for (std::size_t i = 0; i < count; ++i) {
    metrics_.lag.Observe(std::chrono::duration<double>(now - published[i]).count());
    directory_.published(frames[i]->bytes.size());
  }
  metrics_.frames_published.Increment(static_cast<double>(count));
  return std::max<std::size_t>(clients, 1);
}

// Draws the consequence of what became of a write.
void HubLoop::settle(Subscriber& who, Taken taken) {
  const std::uint64_t sent = who.outlet.frames_sent();
  sent_in_turn_ += sent - who.frames_reported;
  who.frames_reported = sent;
  if (taken == Taken::kBroken) {
    ended(who, StreamEnd::kClientLeft);
  } else if (taken == Taken::kOverflow) {
    who.outlet.finish(reconnect_hint(options_.reconnect_spread).get());
    ended(who, StreamEnd::kSlow);
  }
}

// Offers what waits to the socket once more, then the end of the stream.
void HubLoop::say_goodbye(Subscriber& who, StreamEnd why) {
  if (who.gone || who.outlet.descriptor() < 0) {
    return;
  }
  const bool fine = who.outlet.flush() == Taken::kFine;
  const FramePtr hint = why == StreamEnd::kDraining ? reconnect_hint(drain_spread()) : nullptr;
  if (fine) {
    who.outlet.finish(hint.get());
  }
}

void HubLoop::leave_channels(Subscriber& who) {
  if (!who.in_channels) {
    return;
  }
  who.in_channels = false;
  for (const Membership& member : who.channels) {
    auto& members = member.channel->members;
    Subscriber* last = members.back();
    members[member.position] = last;
    members.pop_back();
    for (Membership& moved : last->channels) {
      if (moved.channel == member.channel) {
        moved.position = member.position;
      }
    }
  }
}

// The end of a stream, whatever was done about its connection before. One that has no connection
// yet ends when that comes, so that its client is answered.
void HubLoop::ended(Subscriber& who, StreamEnd why) {
  if (who.gone) {
    return;
  }
  leave_channels(who);
  if (who.opened == Clock::time_point{}) {
    who.closing = who.closing == StreamEnd::kNone ? why : who.closing;
    directory_.left_channels(who);
    return;
  }
  who.gone = true;
  if (who.in_wheel) {
    wheel_.remove(who);
    metrics_.subscribers.Set(static_cast<double>(--attached_));
  }
  who.outlet.close();
  metrics_.ended(why).Increment();
  log_.info("http.stream_ended", {{"reason", end_name(why)},
                                  {"peer", who.peer},
                                  {"frames", who.outlet.frames_sent()},
                                  {"duration_ms", milliseconds_since(who.opened)}});
  if (who.ended) {
    ended_.push_back({who.owner, std::move(who.ended), who.id, why});
  }
  graveyard_.push_back(directory_.remove(who));
}

std::chrono::milliseconds HubLoop::drain_spread() const {
  return std::min(options_.reconnect_spread,
                  options_.reconnect_spread_each * static_cast<std::int64_t>(draining_));
}

FramePtr HubLoop::reconnect_hint(std::chrono::milliseconds spread) {
  std::uniform_int_distribution<std::int64_t> part(0, std::max<std::int64_t>(spread.count(), 0));
  return retry_frame(options_.reconnect_base + std::chrono::milliseconds(part(random_)));
}

}  // namespace plexsphere::host::http::detail
