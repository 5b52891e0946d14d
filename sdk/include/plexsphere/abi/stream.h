/* px.stream/1: server-sent events (WHATWG HTML, 9.2) to many clients at once.
 *
 * A handler opens a stream instead of answering: the connection leaves the workers and belongs to
 * the host until the client, the host or the plugin ends it. Frames are published to channels; one
 * rendered frame is shared by all subscribers of its channel. Channels are the plugin's own: two
 * plugins that use one name do not meet. The host sends the comment ":keep-alive" every 25 s.
 *
 * A subscriber that reads too slowly is disconnected (PX_STREAM_SLOW) rather than let memory grow:
 * its queue holds 256 frames and 1 MiB unless configured otherwise, and what is held as much again.
 * It comes back with Last-Event-ID and is served from the plugin's own record.
 *
 * Replay without a gap: open with PX_STREAM_HELD, read the record up to sequence S, `send` each
 * frame of it, then `release`. What was published meanwhile was queued; of that, and of what is
 * published later, frames with a sequence not above S are left out. Channels that one subscriber
 * listens to must therefore share one numbering, or publish with sequence 0. */
#ifndef PLEXSPHERE_ABI_STREAM_H
#define PLEXSPHERE_ABI_STREAM_H

#include "plexsphere/abi/router.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One stream. Never zero and never used again while the process lives. */
typedef uint64_t px_subscription;

typedef int32_t px_stream_end;
enum {
  PX_STREAM_CLIENT_LEFT = 1, /* closed by the other end, or the connection broke */
  PX_STREAM_SLOW = 2,        /* did not read as fast as frames came */
  PX_STREAM_CLOSED = 3,      /* close or close_channel */
  PX_STREAM_DRAINING = 4     /* the host leaves; the client was told when to reconnect */
};

/* One event. Rendered once: "id:", "event:" and a "data:" line for each line of data. */
typedef struct px_stream_frame {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t sequence; /* grows along a channel; 0: has none and is sent to everybody */
  px_str id;         /* no CR, LF or NUL, at most 1 KiB; empty: no id line */
  px_str event;      /* the same; empty: no event line */
  px_str data;       /* UTF-8; at most 1 MiB */
} px_stream_frame;

enum { PX_STREAM_HELD = 1 /* queue what is published until `release` */ };

typedef struct px_stream_options {
  uint32_t struct_size;
  uint32_t flags;
  const px_pair* headers; /* of the response, besides Content-Type and Cache-Control: no-cache,
                             which are the host's */
  uint64_t header_count;
  const px_str* channels; /* 1 to 16, each 1 to 128 bytes, none twice */
  uint64_t channel_count;
  uint64_t
      after; /* published frames with a sequence other than 0 that is not greater are left out */
  void* ctx;
  /* Called once for every open that returned PX_OK, when the stream has ended; the id is dead from
   * then on. May be called before open has returned, but after it has written the id. Not called
   * once the plugin is being stopped. May be null. Must not wait and must not call px.stream.
   * [any] */
  void (*ended)(void* ctx, px_subscription id, px_stream_end why);
} px_stream_options;

typedef struct px_stream {
  px_table base;
  /* Answers 200 and begins to stream. PX_OK completes the responder, which must not be touched
   * again; after any other status the handler still owes its answer. PX_RESOURCE_EXHAUSTED: no
   * further stream is taken; PX_CANCELLED: the host is draining, or the plugin is being stopped;
   * PX_DEADLINE_EXCEEDED: the host has answered 503 for us; PX_INVALID_ARGUMENT. [any] */
  px_status (*open)(void* self, const px_responder* responder, const px_stream_options* options,
                    px_subscription* out, px_error* err);
  /* To one subscriber, before everything that is held. PX_NOT_FOUND: it has ended.
   * PX_RESOURCE_EXHAUSTED: its queue is full, nothing was sent; try again later. [no-block] */
  px_status (*send)(void* self, px_subscription id, const px_stream_frame* frame, px_error* err);
  /* Ends the holding. PX_NOT_FOUND: it has ended. [no-block] */
  px_status (*release)(void* self, px_subscription id, px_error* err);
  /* To every subscriber of a channel, which may be none. Frames published by one thread arrive in
   * that order. PX_RESOURCE_EXHAUSTED: more is being published than can be sent (64 MiB or 65536
   * frames wait, unless configured otherwise); nobody was sent this one. [no-block] */
  px_status (*publish)(void* self, px_str channel, const px_stream_frame* frame, px_error* err);
  /* Ends one stream, or all of a channel (a revoked Node's, say), after what is queued for them has
   * been offered to the socket once. [no-block] */
  px_status (*close)(void* self, px_subscription id, px_error* err);
  px_status (*close_channel)(void* self, px_str channel, px_error* err);
  /* Subscribers of a channel now. [no-block] */
  uint64_t (*subscribers)(void* self, px_str channel);
} px_stream;

#ifdef __cplusplus
}
#endif
#endif
