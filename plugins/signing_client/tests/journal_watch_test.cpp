#include "domain/journal_watch.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::signing_client {
namespace {

using Verdict = JournalWatch::Verdict;

const std::string kOne(32, '1');
const std::string kTwo(32, '2');

JournalMark mark(std::uint64_t seq, const std::string& instance = kOne, char head = 'a') {
  return {instance, seq, std::string(64, head)};
}

TEST_CASE("a mark has one spelling", "[signing_client]") {
  const JournalMark good{"000102030405060708090a0b0c0d0e0f", 18, std::string(64, 'b')};
  const std::string text = good.instance + " 18 " + good.head;
  CHECK(parse_mark(text) == good);
  CHECK(step_of(good) == "journal:000102030405060708090a0b0c0d0e0f:18:" + good.head);
  for (const std::string& bad :
       {std::string(), std::string(" "), text + " ", text + "0", text.substr(1),
        good.instance + "  18 " + good.head, good.instance + " 0 " + good.head,
        good.instance + " -1 " + good.head, good.instance + " 18x " + good.head,
        good.instance + " 18446744073709551616 " + good.head,
        good.instance + " 18 " + std::string(64, 'B')}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_mark(bad));
  }
}

TEST_CASE("answers may overtake one another", "[signing_client]") {
  JournalWatch watch;
  const auto start = watch.before();
  CHECK(watch.observe(start, mark(5)) == Verdict::kNew);
  CHECK(watch.observe(start, mark(7)) == Verdict::kForward);
  CHECK(watch.observe(start, mark(6)) == Verdict::kForward);
  // What others of the signer's callers were given is missing here, and that is as it should be.
  CHECK(watch.observe(watch.before(), mark(20)) == Verdict::kForward);
}

TEST_CASE("a call has a later place than any known when it began", "[signing_client]") {
  JournalWatch watch;
  (void)watch.observe({}, mark(5));
  const auto before = watch.before();
  CHECK(watch.observe(before, mark(5)) == Verdict::kRegressed);
  CHECK(watch.observe(before, mark(1)) == Verdict::kRegressed);
  CHECK(watch.observe(before, mark(6)) == Verdict::kForward);
}

TEST_CASE("no place is given out twice, not even to calls at the same time", "[signing_client]") {
  JournalWatch watch;
  (void)watch.observe({}, mark(5));
  const auto before = watch.before();
  CHECK(watch.observe(before, mark(6)) == Verdict::kForward);
  CHECK(watch.observe(before, mark(6)) == Verdict::kTwice);
  CHECK(watch.observe(before, mark(6, kOne, 'b')) == Verdict::kTwice);
}

TEST_CASE("journals of two signers do not mix", "[signing_client]") {
  JournalWatch watch;
  CHECK(watch.observe({}, mark(100)) == Verdict::kNew);
  CHECK(watch.observe(watch.before(), mark(1, kTwo)) == Verdict::kNew);
  CHECK(watch.observe(watch.before(), mark(101)) == Verdict::kForward);
  CHECK(watch.observe(watch.before(), mark(2, kTwo)) == Verdict::kForward);
  CHECK(watch.observe(watch.before(), mark(2, kOne)) == Verdict::kRegressed);
}

TEST_CASE("what is kept is bounded", "[signing_client]") {
  JournalWatch watch;
  for (char c = 'a'; c < 'a' + 20; ++c) {
    (void)watch.observe({}, mark(1, std::string(32, c)));
  }
  CHECK(watch.journals() == JournalWatch::kMaxJournals);
  CHECK(watch.observe({}, mark(1, std::string(32, 'a'))) == Verdict::kNew);  // longest unseen
  for (std::uint64_t seq = 2; seq < 2 * JournalWatch::kMaxPlaces; ++seq) {
    (void)watch.observe({}, mark(seq, std::string(32, 'a')));
  }
  // Too low to be remembered one by one; a call that began lately finds it out all the same.
  CHECK(watch.observe(watch.before(), mark(3, std::string(32, 'a'))) == Verdict::kRegressed);
}

}  // namespace
}  // namespace plexsphere::signing_client
