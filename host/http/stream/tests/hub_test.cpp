#include "host/http/stream/hub.hpp"

#include <catch2/catch.hpp>

#include "fixture.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::host::http {
namespace {

using test_support::wait_until;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST_CASE("a client gets the head and then each event as a chunk, and nothing else", "[stream]") {
  HubFixture fixture;
  Client client;
  fixture.open(client, {"news"});
  REQUIRE(fixture.publish("news", "a", 1));
  REQUIRE(fixture.publish("news", "b", 2));
  REQUIRE(client.read_until("data: b\n\n\r\n"));
  CHECK(client.received() == kHead + "f\r\nid: 1\ndata: a\n\n\r\nf\r\nid: 2\ndata: b\n\n\r\n");
}

TEST_CASE("a client of HTTP/1.0 gets the same without chunks", "[stream]") {
  HubFixture fixture;
  Client client;
  const StreamId id = fixture.open(client, {"news"}, false);
  REQUIRE(fixture.publish("news", "a", 1));
  REQUIRE(client.read_until("data: a\n\n"));
  CHECK(fixture.hub.close(fixture.owner(), id).ok());
  REQUIRE(client.read_to_end());
  CHECK(client.received() == kHead + "id: 1\ndata: a\n\n");
}

TEST_CASE("what is published before the connection comes is not missed", "[stream]") {
  HubFixture fixture;
  Client client;
  const StreamId id = fixture.reserve(fixture.wanting({"news"}));
  REQUIRE(fixture.publish("news", "early", 5));
  REQUIRE(fixture.send(id, "own").ok());
  fixture.hub.attach(id, client.served(true));
  REQUIRE(fixture.publish("news", "late", 6));
  REQUIRE(client.read_until("data: late\n\n\r\n"));
  CHECK(client.events() == "id: 5\ndata: early\n\ndata: own\n\nid: 6\ndata: late\n\n");
}

TEST_CASE("a client hears its channels only", "[stream]") {
  HubFixture fixture;
  Client one;
  Client both;
  fixture.open(one, {"a"});
  fixture.open(both, {"a", "b"});
  CHECK(fixture.hub.subscribers("a") == 2);
  CHECK(fixture.hub.subscribers("b") == 1);
  CHECK(fixture.hub.subscribers("c") == 0);
  REQUIRE(fixture.publish("b", "1"));
  REQUIRE(fixture.publish("c", "2"));
  REQUIRE(fixture.publish("a", "3"));
  REQUIRE(one.read_until("data: 3\n\n\r\n"));
  REQUIRE(both.read_until("data: 3\n\n\r\n"));
  CHECK(one.events() == "data: 3\n\n");
  CHECK(both.events() == "data: 1\n\ndata: 3\n\n");
}

TEST_CASE("a frame far larger than the socket's buffer arrives whole", "[stream]") {
  HubFixture fixture({.send_buffer = 4096});
  Client client(4096);
  fixture.open(client, {"news"});
  const std::string data(kMostFrameData / 2, 'x');
  REQUIRE(fixture.publish("news", data));
  REQUIRE(fixture.publish("news", "end"));
  REQUIRE(client.read_until("data: end\n\n\r\n"));
  CHECK(client.events() == "data: " + data + "\n\ndata: end\n\n");
}

TEST_CASE("a client that leaves is noticed without anything being sent", "[stream]") {
  HubFixture fixture;
  Client polite;
  Client rude;
  const StreamId first = fixture.open(polite, {"news"});
  const StreamId second = fixture.open(rude, {"news"});
  REQUIRE(polite.read_until(kHead));
  REQUIRE(rude.read_until(kHead));
  CHECK(fixture.metric("plexsphere_stream_subscribers") == 2);
  polite.leave();
  CHECK(fixture.ended(first) == StreamEnd::kClientLeft);
  rude.vanish();
  CHECK(fixture.ended(second) == StreamEnd::kClientLeft);
  CHECK(fixture.hub.subscribers("news") == 0);
  CHECK(fixture.hub.subscribers() == 0);
  CHECK(fixture.metric("plexsphere_stream_subscribers") == 0);
  CHECK(fixture.metric("plexsphere_stream_opened_total") == 2);
  CHECK(fixture.metric("plexsphere_stream_ended_total{reason=\"client_left\"}") == 2);
  CHECK(fixture.send(first, "x").code() == Code::kNotFound);
  CHECK(fixture.hub.release(fixture.owner(), first).code() == Code::kNotFound);
  CHECK(fixture.hub.close(fixture.owner(), first).code() == Code::kNotFound);
}

TEST_CASE("a client may say a little, but one that keeps talking is put out", "[stream]") {
  HubFixture fixture;
  Client client;
  const StreamId id = fixture.open(client, {"news"});
  client.say("hello");
  REQUIRE(fixture.publish("news", "a"));
  REQUIRE(client.read_until("data: a\n\n\r\n"));
  CHECK(fixture.ended_calls(id) == 0);
  REQUIRE(wait_until(kPatience, [&] {
    client.say(std::string(4096, 'x'));
    return fixture.ended_calls(id) == 1;
  }));
  CHECK(fixture.ended(id) == StreamEnd::kClientLeft);
}

TEST_CASE("closing one stream ends its body; closing a channel ends all of it", "[stream]") {
  HubFixture fixture;
  Client first;
  Client second;
  Client other;
  const StreamId one = fixture.open(first, {"news", "more"});
  const StreamId two = fixture.open(second, {"news"});
  const StreamId apart = fixture.open(other, {"more"});
  REQUIRE(fixture.send(one, "last").ok());
  REQUIRE(fixture.hub.close(fixture.owner(), one).ok());
  CHECK(fixture.send(one, "too late").code() == Code::kNotFound);
  REQUIRE(first.read_to_end());
  CHECK(first.received() == kHead + "c\r\ndata: last\n\n\r\n0\r\n\r\n");
  fixture.hub.close_channel("news");
  REQUIRE(second.read_to_end());
  CHECK(second.received() == kHead + "0\r\n\r\n");
  CHECK(fixture.ended(two) == StreamEnd::kClosed);
  REQUIRE(fixture.publish("more", "still here"));
  REQUIRE(other.read_until("data: still here\n\n\r\n"));
  CHECK(fixture.ended_calls(apart) == 0);
  CHECK(fixture.metric("plexsphere_stream_ended_total{reason=\"closed\"}") == 2);
}

TEST_CASE("a stream closed before its connection comes still answers its client", "[stream]") {
  HubFixture fixture;
  Client client;
  const StreamId id = fixture.reserve(fixture.wanting({"news"}));
  REQUIRE(fixture.send(id, "only").ok());
  REQUIRE(fixture.hub.close(fixture.owner(), id).ok());
  CHECK(wait_until(kPatience, [&] { return fixture.hub.subscribers("news") == 0; }));
  CHECK(fixture.ended_calls(id) == 0);
  fixture.hub.attach(id, client.served(true));
  REQUIRE(client.read_to_end());
  CHECK(client.received() == kHead + "c\r\ndata: only\n\n\r\n0\r\n\r\n");
  CHECK(fixture.ended(id) == StreamEnd::kClosed);
}

TEST_CASE("a stream whose connection was gone has ended, one not opened never was", "[stream]") {
  HubFixture fixture;
  const StreamId gone = fixture.reserve(fixture.wanting({"news"}));
  fixture.hub.abandon(gone);
  CHECK(fixture.ended(gone) == StreamEnd::kClientLeft);
  const StreamId never = fixture.reserve(fixture.wanting({"news"}));
  fixture.hub.forget(never);
  CHECK(wait_until(kPatience, [&] { return fixture.hub.subscribers() == 0; }));
  CHECK(fixture.ended_calls(never) == 0);
}

TEST_CASE("another owner's stream cannot be reached", "[stream]") {
  HubFixture fixture;
  Client client;
  const StreamId id = fixture.open(client, {"news"});
  const int stranger = 0;
  CHECK(fixture.hub.send(&stranger, id, frame_of("x")).code() == Code::kNotFound);
  CHECK(fixture.hub.close(&stranger, id).code() == Code::kNotFound);
  CHECK(fixture.hub.release(&stranger, id).code() == Code::kNotFound);
}

TEST_CASE("no more streams are opened than the limit says", "[stream]") {
  HubFixture fixture({.max_subscribers = 2});
  Client client;
  const StreamId id = fixture.open(client, {"news"});
  fixture.reserve(fixture.wanting({"news"}));
  const auto over = fixture.hub.reserve(fixture.wanting({"news"}));
  REQUIRE_FALSE(over.ok());
  CHECK(over.status().code() == Code::kResourceExhausted);
  CHECK(fixture.metric("plexsphere_stream_refused_total") == 1);
  REQUIRE(fixture.hub.close(fixture.owner(), id).ok());
  CHECK(fixture.ended(id) == StreamEnd::kClosed);
  CHECK(fixture.hub.reserve(fixture.wanting({"news"})).ok());
}

TEST_CASE("the connection counts until its stream has ended", "[stream]") {
  HubFixture fixture;
  Client client;
  const auto slot = std::make_shared<int>(0);
  const StreamId id = fixture.reserve(fixture.wanting({"news"}));
  fixture.hub.attach(id, client.served(true, slot));
  REQUIRE(client.read_until(kHead));
  CHECK(slot.use_count() == 2);
  REQUIRE(fixture.hub.close(fixture.owner(), id).ok());
  REQUIRE(client.read_to_end());
  CHECK(wait_until(kPatience, [&] { return slot.use_count() == 1; }));
}

TEST_CASE("each stream leaves one line in the log", "[stream]") {
  HubFixture fixture;
  Client client;
  const StreamId id = fixture.open(client, {"news"});
  REQUIRE(fixture.publish("news", "a"));
  REQUIRE(fixture.publish("news", "b"));
  REQUIRE(client.read_until("data: b\n\n\r\n"));
  client.leave();
  REQUIRE(fixture.ended(id) == StreamEnd::kClientLeft);
  const std::string logged = fixture.logged();
  CHECK(count_of(logged, "http.stream_ended") == 1);
  CHECK(logged.find("\"reason\":\"client_left\"") != std::string::npos);
  CHECK(logged.find("\"peer\":\"127.0.0.1\"") != std::string::npos);
  CHECK(logged.find("\"frames\":2") != std::string::npos);
  CHECK(fixture.metric("plexsphere_stream_frames_published_total") == 2);
  CHECK(fixture.metric("plexsphere_stream_frames_sent_total") == 2);
  CHECK(fixture.metric("plexsphere_stream_lag_seconds_count") == 2);
}

}  // namespace
}  // namespace plexsphere::host::http
