// The channel against the built plexsphere-signer.
#include "rpc/signer_channel.hpp"

#include <fstream>

#include "signer_rig.hpp"
#include "support/http_client.hpp"
#include "support/wait_until.hpp"

namespace plexsphere::signing_client {
namespace {

using namespace std::chrono_literals;
using testing::event_under;
using testing::kScope;
using testing::result_of;
using testing::SignerRig;
using Steady = std::chrono::steady_clock;

template <class T>
std::string refusal(const sdk::Result<T>& result, sdk::Code code) {
  if (result.ok()) {
    return "done";
  }
  CHECK(result.error().code == code);
  return result.error().reason;
}

TEST_CASE("key sets and signatures come through the socket", "[signing_client]") {
  SignerRig rig;
  CHECK(rig.channel().wait_connected(20s));
  const auto first = rig.open("k1");
  REQUIRE(first.ok());
  const auto view = parse_key_set(first->document);
  REQUIRE(view);
  CHECK(testing::verifies(first->document_key, first->document, first->signature));

  const auto answer = rig.sign(*first, "", "k1");
  REQUIRE(answer.ok());
  CHECK(answer->key_id == "k1");
  CHECK(answer->public_key == view->active().events);
  REQUIRE(answer->signatures.size() == 1);
  CHECK(testing::verifies(view->active().events, event_under("k1"), answer->signatures[0]));
  // The key for checkpoints is another one.
  CHECK_FALSE(
      testing::verifies(view->active().checkpoints, event_under("k1"), answer->signatures[0]));

  const auto second = rig.open("k2", *first);
  REQUIRE(second.ok());
  CHECK(rig.sign(*second, "", "k2")->key_id == "k2");
  CHECK(rig.sign(*second, "k1", "k1")->key_id == "k1");  // the outgoing key, by name
  // Whoever holds the older set is given the newer one.
  CHECK(rig.fetch(*first)->document == second->document);
  CHECK(rig.fetch()->document == second->document);

  const SignedDocument third = rig.force_close(*second);
  CHECK_FALSE(parse_key_set(third.document)->rotation);
  // A rotation that is closed already is answered with the set as it is.
  const auto rotation = *parse_key_set(second->document)->rotation;
  const auto again = result_of<SignedDocument>(
      [&](auto done) { rig.channel().close_rotation(kScope, rotation, third, std::move(done)); });
  REQUIRE(again.ok());
  CHECK(again->document == third.document);
}

TEST_CASE("the signer's words become reasons", "[signing_client]") {
  SignerRig rig;
  CHECK(refusal(rig.fetch(), sdk::Code::not_found) == "key_not_found");
  const SignedDocument first = *rig.open("k1");
  CHECK(refusal(rig.sign(first, "k9", "k9"), sdk::Code::not_found) == "key_not_found");
  // The message names another key than would sign it.
  CHECK(refusal(rig.sign(first, "", "k9"), sdk::Code::invalid_argument) == "invariant_violation");
  const SignedDocument second = *rig.open("k2", first);
  CHECK(refusal(rig.open("k3", second), sdk::Code::failed_precondition) == "rotation_in_progress");
  CHECK(refusal(rig.close(second), sdk::Code::failed_precondition) == "rotation_in_progress");
  const auto stale = rig.sign(first, "", "k1");
  CHECK(refusal(stale, sdk::Code::failed_precondition) == "key_set_superseded");
  CHECK(stale.error().detail.find("fetch it with PublicKey") != std::string::npos);
  const SignedDocument third = rig.force_close(second);
  CHECK(refusal(rig.sign(third, "k1", "k1"), sdk::Code::failed_precondition) == "key_retired");
  SignedDocument forged = third;
  forged.document.replace(forged.document.find("retired"), 7, "active ");
  CHECK(refusal(rig.sign(forged, "", "k1"), sdk::Code::invalid_argument) == "key_set_rejected");
}

TEST_CASE("older key sets stay refused when the signer was restarted", "[signing_client]") {
  SignerRig rig;
  const SignedDocument first = *rig.open("k1");
  const SignedDocument second = *rig.open("k2", first);
  rig.signer.kill();
  rig.signer.start();
  CHECK(test_support::wait_until(20s, [&] { return rig.sign(second, "", "k2").ok(); }));
  CHECK(refusal(rig.sign(first, "", "k1"), sdk::Code::failed_precondition) == "key_set_superseded");
  CHECK(rig.fetch(first)->document == second.document);
}

TEST_CASE("a signer that has lost its state signs nothing until it is told to adopt",
          "[signing_client]") {
  SignerRig rig;
  const SignedDocument first = *rig.open("k1");
  const SignedDocument second = *rig.open("k2", first);
  const auto restart = [&](const std::string& settings) {
    CHECK(rig.signer.stop() == 0);
    rig.signer.start(settings);
    CHECK(rig.channel().wait_connected(20s));
  };
  std::filesystem::remove_all(rig.signer.state());
  restart("");
  const auto lost = rig.sign(second, "", "k2");
  CHECK(refusal(lost, sdk::Code::failed_precondition) == "key_set_not_adopted");
  CHECK(lost.error().detail.find("adopt = true") != std::string::npos);
  CHECK(refusal(rig.open("k3", second), sdk::Code::failed_precondition) == "key_set_not_adopted");

  restart("adopt = true\n");
  CHECK(rig.sign(second, "", "k2").ok());
  CHECK(rig.signer.log().find("signing_key_set_adopted") != std::string::npos);
  CHECK(refusal(rig.sign(first, "", "k1"), sdk::Code::failed_precondition) == "key_set_superseded");
  restart("");  // what was adopted is remembered
  CHECK(rig.sign(second, "", "k2").ok());
}

TEST_CASE("a damaged memory of the signer is its operator's to see, and signs nothing",
          "[signing_client]") {
  SignerRig rig;
  const SignedDocument first = *rig.open("k1");
  CHECK(rig.signer.stop() == 0);
  const auto file = rig.signer.state() / ("domain-" + kScope.substr(7) + ".keyset");
  REQUIRE(std::filesystem::exists(file));
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  rig.signer.start();
  CHECK(rig.channel().wait_connected(20s));
  CHECK(refusal(rig.sign(first, "", "k1"), sdk::Code::unavailable) == "signing_unavailable");
  CHECK(refusal(rig.open("k2", first), sdk::Code::unavailable) == "signing_unavailable");
  CHECK(rig.signer.log().find("signing_internal_error") != std::string::npos);
  CHECK(rig.signer.log().find("the remembered key set of " + kScope + " is damaged") !=
        std::string::npos);
}

TEST_CASE("answers and refusals say where the call stands in the journal", "[signing_client]") {
  SignerRig rig(1s);
  const SignedDocument first = *rig.open("k1");
  const auto sign = [&](const std::string& key_id) {
    std::promise<JournalPlace> promise;
    rig.channel().sign({kScope, Purpose::kEvents, key_id, {event_under("k1")}}, first,
                       [&](const sdk::Result<SignAnswer>&, const JournalPlace& place) {
                         promise.set_value(place);
                       });
    return promise.get_future().get();
  };
  const JournalPlace done = sign("");
  const JournalPlace refused = sign("k9");
  REQUIRE(done.mark);
  REQUIRE(refused.mark);
  CHECK(done.mark->seq == 2);
  CHECK(refused.mark->seq == 3);
  CHECK(refused.mark->instance == done.mark->instance);
  // The same as in the signer's own file.
  const std::string journal =
      test_support::read_file(rig.signer.state() / "journal" / "00000000000000000001.journal");
  for (const JournalMark& mark : {*done.mark, *refused.mark}) {
    CHECK(journal.find("\n" + mark.instance + " " + std::to_string(mark.seq) + " ") !=
          std::string::npos);
    CHECK(journal.find(" " + mark.head + "\n") != std::string::npos);
  }
  rig.signer.pause();  // it may have taken the call: nobody can tell
  const JournalPlace lost = sign("");
  CHECK_FALSE(lost.mark);
  CHECK(lost.lost);
  rig.signer.resume();
}

TEST_CASE("a signer whose disk is full answers nothing and is not ready until there is room",
          "[signing_client]") {
  SignerRig rig;
  const SignedDocument first = *rig.open("k1");
  const auto journal = rig.signer.state() / "journal" / "00000000000000000001.journal";
  const auto ready = [&] {
    return test_support::HttpClient(10s).request("GET", rig.signer.http() + "/readyz").status;
  };
  CHECK(ready() == 200);
  rig.signer.limit_files(std::filesystem::file_size(journal) + 100);
  const auto refused = rig.sign(first, "", "k1");
  CHECK(refusal(refused, sdk::Code::unavailable) == "signing_unavailable");
  CHECK(refused.error().detail.find("signing: journal unavailable") != std::string::npos);
  CHECK(refusal(rig.fetch(), sdk::Code::unavailable) == "signing_unavailable");
  CHECK(test_support::wait_until(20s, [&] { return ready() == 503; }));
  rig.signer.limit_files(std::nullopt);
  CHECK(rig.sign(first, "", "k1").ok());
  CHECK(test_support::wait_until(20s, [&] { return ready() == 200; }));
  CHECK(test_support::read_file(journal).find(" 2 ") != std::string::npos);
}

TEST_CASE("a signer that was killed goes on with its journal, and with a damaged one not at all",
          "[signing_client]") {
  SignerRig rig;
  const SignedDocument first = *rig.open("k1");
  const auto journal = rig.signer.state() / "journal" / "00000000000000000001.journal";
  rig.signer.kill();
  const std::string whole = test_support::read_file(journal);
  std::ofstream(journal, std::ios::app)
      << whole.substr(whole.rfind('\n', whole.size() - 2) + 1, 90);
  rig.signer.start();
  CHECK(rig.signer.log().find("signing_journal_torn_record_cut") != std::string::npos);
  CHECK(test_support::wait_until(20s, [&] { return rig.sign(first, "", "k1").ok(); }));
  CHECK(rig.signer.stop() == 0);

  std::string changed = test_support::read_file(journal);
  REQUIRE(changed.starts_with(whole));
  changed[whole.size() - 200] ^= 1;
  std::ofstream(journal) << changed;
  CHECK_THROWS_WITH(rig.signer.start(), Catch::Contains("journal_unusable") &&
                                            Catch::Contains(": damaged at line 2, byte "));
}

TEST_CASE("a signer that is away is unavailable within the deadline", "[signing_client]") {
  SignerRig rig(1s);
  const SignedDocument first = *rig.open("k1");
  const auto timed = [&] {
    const auto began = Steady::now();
    CHECK(refusal(rig.sign(first, "", "k1"), sdk::Code::unavailable) == "signing_unavailable");
    return Steady::now() - began;
  };
  rig.signer.pause();  // it hangs
  CHECK(timed() < 5s);
  rig.signer.resume();
  rig.signer.kill();  // it is gone, its socket is not
  CHECK(timed() < 5s);
  CHECK_FALSE(rig.channel().wait_connected(100ms));
  rig.signer.start();  // it is back: no new channel is needed
  CHECK(test_support::wait_until(20s, [&] { return rig.sign(first, "", "k1").ok(); }));
  CHECK(rig.signer.stop() == 0);
  CHECK_FALSE(std::filesystem::exists(rig.signer.socket()));
  CHECK(timed() < 5s);
}

TEST_CASE("what is in flight completes when the channel is shut down", "[signing_client]") {
  SignerRig rig(60s);
  const SignedDocument first = *rig.open("k1");
  rig.signer.pause();
  std::atomic<int> completed = 0;
  std::atomic<int> unavailable = 0;
  for (int i = 0; i < 20; ++i) {
    rig.channel().sign({kScope, Purpose::kEvents, "", {event_under("k1")}}, first,
                       [&](const sdk::Result<SignAnswer>& answer, const JournalPlace&) {
                         ++completed;
                         unavailable +=
                             !answer.ok() && answer.error().reason == "signing_unavailable";
                       });
  }
  const auto began = Steady::now();
  rig.channel().shut_down();
  CHECK(Steady::now() - began < 20s);  // long before the calls' own deadline
  CHECK(completed == 20);
  CHECK(unavailable == 20);
  rig.signer.resume();
  const auto late = rig.sign(first, "", "k1");
  CHECK(refusal(late, sdk::Code::cancelled) == "draining");
  CHECK(completed == 20);
  rig.channel().shut_down();
}

TEST_CASE("settings that cannot work are refused by name", "[signing_client]") {
  const auto detail = [](const ChannelSettings& settings) {
    const sdk::Status status = check_settings(settings);
    return status.ok() ? std::string("good") : status.error().detail;
  };
  CHECK(detail({"unix:/run/plexsphere/signer.sock", "", "", ""}) == "good");
  CHECK(detail({"tcp:signer:9081", "ca", "cert", "key"}) == "good");
  CHECK(detail({"signer:9081", "", "", ""}).find("must be unix:/path or tcp:host:port") !=
        std::string::npos);
  CHECK(detail({"unix:run", "", "", ""}).find("must be unix:/path") != std::string::npos);
  CHECK(detail({"tcp:signer", "ca", "cert", "key"}).find("must be tcp:host:port") !=
        std::string::npos);
  CHECK(detail({"tcp:signer:9081", "ca", "", "key"}).find("set all three") != std::string::npos);
  const auto missing = SignerChannel::open({"tcp:signer:9081", "/nonexistent/ca", "c", "k"});
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().reason == "tls_file_unreadable");
  CHECK(missing.error().detail.find("/nonexistent/ca") != std::string::npos);
}

}  // namespace
}  // namespace plexsphere::signing_client
