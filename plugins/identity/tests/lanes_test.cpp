#include "app/lanes.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <stdexcept>

namespace plexsphere::identity {
namespace {

TEST_CASE("admission turns away whoever comes when it is full, and counts who leaves",
          "[identity]") {
  Admission admission(2);
  auto first = admission.admit();
  auto second = admission.admit();
  REQUIRE(first);
  REQUIRE(second);
  CHECK_FALSE(admission.admit());
  CHECK(admission.inside() == 2);
  first.reset();
  CHECK(admission.inside() == 1);
  CHECK(admission.admit());
}

TEST_CASE("a ticket that was moved leaves once", "[identity]") {
  Admission admission(1);
  {
    auto ticket = admission.admit();
    REQUIRE(ticket);
    const Admission::Ticket moved = std::move(*ticket);
    CHECK(admission.inside() == 1);
  }
  CHECK(admission.inside() == 0);
}

TEST_CASE("a lane runs as many pieces of work at once as it has threads", "[identity]") {
  Lane lane;
  lane.start(2);
  std::promise<void> first_in;
  std::promise<void> second_in;
  std::promise<void> first_done;
  std::promise<void> second_done;
  // Each waits for the other to have begun: they finish only side by side.
  REQUIRE(lane.submit([&] {
    first_in.set_value();
    second_in.get_future().wait();
    first_done.set_value();
  }));
  REQUIRE(lane.submit([&] {
    second_in.set_value();
    first_in.get_future().wait();
    second_done.set_value();
  }));
  const auto limit = std::chrono::seconds(30);
  CHECK(first_done.get_future().wait_for(limit) == std::future_status::ready);
  CHECK(second_done.get_future().wait_for(limit) == std::future_status::ready);
}

TEST_CASE("a lane survives work that throws", "[identity]") {
  Lane lane;
  lane.start(1);
  std::promise<void> ran;
  REQUIRE(lane.submit([] { throw std::runtime_error("broken"); }));
  REQUIRE(lane.submit([&ran] { ran.set_value(); }));
  CHECK(ran.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
}

TEST_CASE("a lane that stops runs what it has taken and takes no more", "[identity]") {
  Lane lane;
  CHECK_FALSE(lane.submit([] {}));
  lane.start(1);
  int ran = 0;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(lane.submit([&ran] { ++ran; }));
  }
  lane.stop();
  CHECK(ran == 20);
  CHECK_FALSE(lane.submit([] {}));
}

}  // namespace
}  // namespace plexsphere::identity
