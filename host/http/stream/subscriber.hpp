// One stream: its channels, its connection, what is told at its end. Internal to host/http/stream.
//
// Thread safety: hub thread only, but for what says otherwise. Ownership: shared by the directory,
// which finds it by id, and by commands on their way to the hub thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/http/stream/hub.hpp"
#include "host/http/stream/outlet.hpp"

namespace plexsphere::host::http::detail {

struct Subscriber;

struct Channel {
  explicit Channel(std::string the_name) : name(std::move(the_name)) {}

  const std::string name;
  std::size_t subscribers = 0;       // under the directory's lock
  std::vector<Subscriber*> members;  // hub thread
};

struct Membership {
  std::shared_ptr<Channel> channel;  // shared with the directory and with frames under way
  std::uint32_t position = 0;        // among its members
};

struct Subscriber {
  Subscriber(StreamId the_id, Subscription& wanted)
      : id(the_id),
        owner(wanted.owner),
        ended(std::move(wanted.ended)),
        outlet(wanted.after, wanted.held) {}

  const StreamId id;
  const void* const owner;
  std::function<void(StreamId, StreamEnd)> ended;
  std::vector<Membership> channels;
  Outlet outlet;                                 // its reserve_room: under the directory's lock
  std::chrono::steady_clock::time_point opened;  // zero: no connection has come yet
  std::string peer;
  std::uint64_t frames_reported = 0;  // of those sent, to the metrics
  bool counted_in_channels = true;    // under the directory's lock
  bool closed = false;  // under the directory's lock: takes no frame of its own any more
  bool in_channels = false;
  bool in_wheel = false;
  bool gone = false;                     // has ended; only the memory is left
  StreamEnd closing = StreamEnd::kNone;  // ends for this as soon as its connection comes
  std::uint32_t slot = 0;                // of the keep-alive wheel
  std::uint32_t slot_position = 0;
};

}  // namespace plexsphere::host::http::detail
