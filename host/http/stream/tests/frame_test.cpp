#include "host/http/stream/frame.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::host::http {
namespace {

std::string text_of(const Event& event) {
  const auto frame = render(event);
  REQUIRE(frame.ok());
  return std::string((*frame)->wire(false));
}

TEST_CASE("a frame is its id, its event and its data, then an empty line", "[stream]") {
  const auto frame = render({7, "7", "peer_added", "{\"a\":1}"});
  REQUIRE(frame.ok());
  CHECK((*frame)->wire(false) == "id: 7\nevent: peer_added\ndata: {\"a\":1}\n\n");
  CHECK((*frame)->wire(true) == "27\r\nid: 7\nevent: peer_added\ndata: {\"a\":1}\n\n\r\n");
  CHECK((*frame)->sequence == 7);
  // Both are parts of one allocation.
  CHECK((*frame)->wire(false).data() == (*frame)->wire(true).data() + 4);
}

TEST_CASE("a frame without id or event has no line for it", "[stream]") {
  CHECK(text_of({0, "", "", "x"}) == "data: x\n\n");
  CHECK(text_of({0, "", "e", ""}) == "event: e\ndata: \n\n");
}

TEST_CASE("each line of the data has a line of the frame, whatever ends it", "[stream]") {
  CHECK(text_of({0, "", "", "a\nb\r\nc\rd"}) == "data: a\ndata: b\ndata: c\ndata: d\n\n");
  CHECK(text_of({0, "", "", "a\n"}) == "data: a\ndata: \n\n");
  CHECK(text_of({0, "", "", "\n\n"}) == "data: \ndata: \ndata: \n\n");
}

TEST_CASE("an id or event that would break its line is refused", "[stream]") {
  using namespace std::string_view_literals;
  for (const auto bad : {"a\nb"sv, "a\r"sv, "a\0b"sv}) {
    const auto by_id = render({0, bad, "", "x"});
    REQUIRE_FALSE(by_id.ok());
    CHECK(by_id.status().code() == Code::kInvalidArgument);
    CHECK(by_id.status().message() == "the id of a frame holds CR, LF or NUL");
    CHECK(render({0, "", bad, "x"}).status().message() ==
          "the event of a frame holds CR, LF or NUL");
  }
}

TEST_CASE("a frame has bounds", "[stream]") {
  const std::string most(kMostFrameData, 'x');
  CHECK(text_of({0, "", "", most}).size() == most.size() + 8);
  CHECK(render({0, "", "", most + "x"}).status().message() ==
        "the data of a frame has 1048577 bytes; the most is 1048576");
  CHECK(render({0, std::string(1024, 'i'), "", ""}).ok());
  CHECK(render({0, std::string(1025, 'i'), "", ""}).status().message() ==
        "the id of a frame has 1025 bytes; the most is 1024");
}

TEST_CASE("comments and hints are no events", "[stream]") {
  CHECK(keep_alive_frame()->wire(false) == ":keep-alive\n\n");
  CHECK(keep_alive_frame()->wire(true) == "d\r\n:keep-alive\n\n\r\n");
  CHECK(retry_frame(std::chrono::milliseconds(1500))->wire(false) == "retry: 1500\n\n");
  CHECK_FALSE(keep_alive_frame()->counted);
}

}  // namespace
}  // namespace plexsphere::host::http
