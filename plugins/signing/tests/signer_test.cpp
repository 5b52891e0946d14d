#include "app/signer.hpp"

#include <filesystem>
#include <fstream>

#include "domain/key_set_document.hpp"
#include "signer_fixture.hpp"

namespace plexsphere::signing {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::event_under;
using testing::kDomain;
using testing::SignerFixture;

SignedDocument first_key(SignerFixture& signer, std::string_view scope = kDomain) {
  return signer->open_rotation(scope, "k1", std::nullopt).value().key_set;
}

TEST_CASE("a signed event verifies under the key the key set names", "[signing]") {
  SignerFixture signer;
  const SignedDocument set = first_key(signer);
  const std::string event = event_under("k1");
  const auto result = signer->sign(kDomain, "", Purpose::kEvents, {event}, set).value();
  CHECK(result.key_id == "k1");
  CHECK(result.key_set_number == 1);
  const KeySet keys = parse_key_set(set.document).value();
  CHECK(result.public_key == keys.active().value().events);
  CHECK(testing::verifies(keys.active().value().events, event, result.signatures.at(0)));
}

TEST_CASE("events and checkpoints are signed with different keys", "[signing]") {
  SignerFixture signer;
  const SignedDocument set = first_key(signer);
  const std::string note = testing::note_of(kDomain);
  const auto result = signer->sign(kDomain, "", Purpose::kCheckpoints, {note}, set).value();
  const KeyEntry key = parse_key_set(set.document).value().active().value();
  CHECK(testing::verifies(key.checkpoints, note, result.signatures.at(0)));
  CHECK_FALSE(testing::verifies(key.events, note, result.signatures.at(0)));
  CHECK(signer->sign(kDomain, "", Purpose::kEvents, {note}, set).fault().kind ==
        FaultKind::kInvariantViolation);
}

TEST_CASE("a batch is signed whole or not at all, within its bounds", "[signing]") {
  SignerFixture signer;
  const SignedDocument set = first_key(signer);
  const std::string event = event_under("k1");
  const auto sign = [&](const std::vector<std::string_view>& messages) {
    return signer->sign(kDomain, "", Purpose::kEvents, messages, set);
  };
  CHECK(sign(std::vector<std::string_view>(kMaxMessages, event)).value().signatures.size() ==
        kMaxMessages);
  CHECK(sign({}).fault().kind == FaultKind::kInvariantViolation);
  CHECK_FALSE(sign(std::vector<std::string_view>(kMaxMessages + 1, event)).ok());
  CHECK_FALSE(sign({event, "{}"}).ok());
  std::string large = event;
  large.insert(large.size() - 2, "\"a\":\"" + std::string(50'000, 'x') + "\"");
  CHECK(sign({large}).ok());
  CHECK_FALSE(sign(std::vector<std::string_view>(50, large)).ok());
}

TEST_CASE("an event under another key id than the signing one is refused", "[signing]") {
  SignerFixture signer;
  const SignedDocument set = first_key(signer);
  const std::string event = event_under("k9");
  CHECK(signer->sign(kDomain, "", Purpose::kEvents, {event}, set).fault().kind ==
        FaultKind::kInvariantViolation);
  CHECK(signer->sign(kDomain, "k9", Purpose::kEvents, {event}, set).fault().kind ==
        FaultKind::kKeyNotFound);
}

TEST_CASE("a rotation runs from open to closed", "[signing]") {
  SignerFixture signer;
  const SignedDocument one = first_key(signer);
  const auto opened = signer->open_rotation(kDomain, "k2", one).value();
  CHECK(opened.old_key_id == "k1");
  CHECK(opened.closes_at == opened.opened_at + days(7));
  const SignedDocument two = opened.key_set;

  const std::string under_new = event_under("k2");
  const std::string under_old = event_under("k1");
  CHECK(signer->sign(kDomain, "", Purpose::kEvents, {under_new}, two).value().key_id == "k2");
  CHECK(signer->sign(kDomain, "k1", Purpose::kEvents, {under_old}, two).value().key_id == "k1");
  CHECK(signer->open_rotation(kDomain, "k3", two).fault().kind == FaultKind::kRotationInProgress);
  CHECK(signer->close_rotation(kDomain, "k1", "k2", false, two).fault().kind ==
        FaultKind::kRotationInProgress);

  signer.now = opened.closes_at;
  const SignedDocument three = signer->close_rotation(kDomain, "k1", "k2", false, two).value();
  CHECK(signer->sign(kDomain, "k1", Purpose::kEvents, {under_old}, three).fault().kind ==
        FaultKind::kKeyRetired);
  CHECK(signer->sign(kDomain, "", Purpose::kEvents, {under_new}, three).ok());
  CHECK(signer->public_key(kDomain, "k1", Purpose::kEvents, three).value().key.state ==
        KeyState::kRetired);
  CHECK(signer->close_rotation(kDomain, "k1", "k2", false, three).value() == three);
}

TEST_CASE("a rotation is closed early only by force, which is noted", "[signing]") {
  SignerFixture signer;
  const SignedDocument two =
      signer->open_rotation(kDomain, "k2", first_key(signer)).value().key_set;
  CHECK(signer->close_rotation(kDomain, "k1", "k2", true, two).ok());
  CHECK(signer.notices.back().starts_with("signing_rotation_forced_closed"));
}

TEST_CASE("an older key set is a replay, also after a restart", "[signing]") {
  SignerFixture signer;
  const SignedDocument one = first_key(signer);
  const SignedDocument two = signer->open_rotation(kDomain, "k2", one).value().key_set;
  for (int round = 0; round < 2; ++round) {
    const std::string event = event_under("k1");
    CHECK(signer->sign(kDomain, "", Purpose::kEvents, {event}, one).fault().kind ==
          FaultKind::kKeySetSuperseded);
    CHECK(signer->sign(kDomain, "", Purpose::kEvents, {event}, std::nullopt).fault().kind ==
          FaultKind::kKeySetSuperseded);
    CHECK(signer->open_rotation(kDomain, "k3", one).fault().kind == FaultKind::kKeySetSuperseded);
    CHECK(signer->open_rotation(kDomain, "k3", std::nullopt).fault().kind ==
          FaultKind::kKeySetSuperseded);
    CHECK(signer->close_rotation(kDomain, "k1", "k2", true, one).fault().kind ==
          FaultKind::kKeySetSuperseded);
    CHECK(signer->sign(kDomain, "k1", Purpose::kEvents, {event}, two).ok());
    signer.restart();
  }
}

TEST_CASE("a caller that lost an answer catches up by asking for the public key", "[signing]") {
  SignerFixture signer;
  const SignedDocument one = first_key(signer);
  CHECK(signer->public_key(kDomain, "", Purpose::kEvents, std::nullopt).value().key_set == one);
  const SignedDocument two = signer->open_rotation(kDomain, "k2", one).value().key_set;
  const auto view = signer->public_key(kDomain, "", Purpose::kEvents, one).value();
  CHECK(view.key.key_id == "k2");
  CHECK(view.key_set == two);
  CHECK_FALSE(view.cached);
}

TEST_CASE("a key set that was altered, or is another scope's, is refused", "[signing]") {
  SignerFixture signer;
  const SignedDocument set = first_key(signer);
  first_key(signer, testing::kOtherDomain);
  const std::string event = event_under("k1");

  SignedDocument altered = set;
  altered.document.replace(altered.document.find("number 1"), 8, "number 9");
  CHECK(signer->sign(kDomain, "", Purpose::kEvents, {event}, altered).fault().kind ==
        FaultKind::kKeySetRejected);
  altered = set;
  altered.signature[0] ^= 1;
  CHECK(signer->sign(kDomain, "", Purpose::kEvents, {event}, altered).fault().kind ==
        FaultKind::kKeySetRejected);
  CHECK(signer->sign(testing::kOtherDomain, "", Purpose::kEvents, {event}, set).fault().kind ==
        FaultKind::kScopeMismatch);
}

TEST_CASE("an instance with an empty memory believes no key set until told to adopt", "[signing]") {
  SignerFixture first;
  const SignedDocument one = first_key(first);
  const SignedDocument two = first->open_rotation(kDomain, "k2", one).value().key_set;
  const std::string event = event_under("k2");

  SignerFixture replica;  // the same seed, another memory
  CHECK(replica->sign(kDomain, "", Purpose::kEvents, {event}, two).fault().kind ==
        FaultKind::kMemoryEmpty);
  CHECK(replica->sign(kDomain, "", Purpose::kEvents, {event}, one).fault().kind ==
        FaultKind::kMemoryEmpty);

  SignerFixture adopting(SignerSettings{Profile::kSelfhostedSingle, days(7), true});
  CHECK(adopting->sign(kDomain, "", Purpose::kEvents, {event}, two).ok());
  CHECK(adopting.notices.back().starts_with("signing_key_set_adopted"));
  CHECK(adopting->sign(kDomain, "", Purpose::kEvents, {event}, one).fault().kind ==
        FaultKind::kKeySetSuperseded);
}

TEST_CASE("two key sets of one number are a fork and the second is refused", "[signing]") {
  SignerFixture first;
  SignerFixture second(SignerSettings{Profile::kSelfhostedSingle, days(7), true});
  const SignedDocument one = first_key(first);
  REQUIRE(second->sign(kDomain, "", Purpose::kEvents, {event_under("k1")}, one).ok());
  const SignedDocument left = first->open_rotation(kDomain, "left", one).value().key_set;
  const SignedDocument right = second->open_rotation(kDomain, "right", one).value().key_set;
  CHECK(first->sign(kDomain, "", Purpose::kEvents, {event_under("right")}, right).fault().kind ==
        FaultKind::kKeySetSuperseded);
  CHECK(second->sign(kDomain, "", Purpose::kEvents, {event_under("left")}, left).fault().kind ==
        FaultKind::kKeySetSuperseded);
}

TEST_CASE("scopes are checked against profile and form before anything else", "[signing]") {
  SignerFixture saas(SignerSettings{Profile::kSaas, days(7), false});
  const auto refused = saas->open_rotation("platform", "k1", std::nullopt);
  CHECK(refused.fault().kind == FaultKind::kInvariantViolation);
  CHECK(refused.fault().cause ==
        "signing scope \"platform\" not permitted in profile \"saas\": SaaS deployments require "
        "per-Domain keys");
  CHECK(saas.notices.back().find("not permitted in profile \"saas\"") != std::string::npos);
  CHECK_FALSE(saas->sign("nonsense", "", Purpose::kEvents, {event_under("k1")}, std::nullopt).ok());
  SignerFixture single;
  CHECK(single->open_rotation("platform", "k1", std::nullopt).ok());
}

TEST_CASE("an empty scope has no key to sign or show", "[signing]") {
  SignerFixture signer;
  CHECK(
      signer->sign(kDomain, "", Purpose::kEvents, {event_under("k1")}, std::nullopt).fault().kind ==
      FaultKind::kKeyNotFound);
  CHECK(signer->public_key(kDomain, "", Purpose::kEvents, std::nullopt).fault().kind ==
        FaultKind::kKeyNotFound);
}

TEST_CASE("a key set that cannot be remembered is not handed out", "[signing]") {
  SignerFixture signer;
  const SignedDocument one = first_key(signer);
  // A directory where the fresh file should be written makes the write fail, for root too.
  std::string name(kDomain);
  name[name.find(':')] = '-';
  std::filesystem::create_directory(signer.state() + "/" + name + ".keyset.new");
  CHECK(signer->open_rotation(kDomain, "k2", one).fault().kind == FaultKind::kInternal);
  CHECK(signer->sign(kDomain, "", Purpose::kEvents, {event_under("k1")}, one).ok());
}

// --- checkpoints only ever grow ---

constexpr std::string_view kRoot = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
constexpr std::string_view kOtherRoot = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

std::string note(std::uint64_t size, std::string_view root = kRoot) {
  return "plexsphere.example/audit/" + std::string(kDomain) + "\n" + std::to_string(size) + "\n" +
         std::string(root) + "\n";
}

// "signed", or the refusal in the contract's words.
std::string checkpoint(SignerFixture& signer, const SignedDocument& set,
                       std::vector<std::string> notes) {
  const std::vector<std::string_view> views(notes.begin(), notes.end());
  const auto result = signer->sign(kDomain, "", Purpose::kCheckpoints, views, set);
  return result.ok() ? "signed" : std::string(status_detail(result.fault().kind));
}

TEST_CASE("a smaller checkpoint, or another of the same size, is not signed", "[signing]") {
  SignerFixture signer;
  const SignedDocument set = signer->open_rotation(kDomain, "k1", {}).value().key_set;
  CHECK(checkpoint(signer, set, {note(10)}) == "signed");
  CHECK(checkpoint(signer, set, {note(10)}) == "signed");  // an answer may have been lost
  CHECK(checkpoint(signer, set, {note(9)}) == "signing: checkpoint regressed");
  CHECK(checkpoint(signer, set, {note(10, kOtherRoot)}) == "signing: checkpoint regressed");
  CHECK(checkpoint(signer, set, {note(0)}) == "signing: checkpoint regressed");
  CHECK(checkpoint(signer, set, {note(11, kOtherRoot)}) == "signed");
  const auto cause =
      signer->sign(kDomain, "", Purpose::kCheckpoints, {note(10)}, set).fault().cause;
  CHECK(cause == "a checkpoint of size 11 of " + std::string(kDomain) +
                     " was signed before, and this one has size 10");
  // Of several in one call each counts, and a refused call leaves nothing behind.
  CHECK(checkpoint(signer, set, {note(12), note(11)}) == "signing: checkpoint regressed");
  CHECK(checkpoint(signer, set, {note(12), note(12, kOtherRoot)}) ==
        "signing: checkpoint regressed");
  CHECK(checkpoint(signer, set, {note(11, kOtherRoot), note(12), note(13)}) == "signed");
  signer.restart();
  CHECK(checkpoint(signer, set, {note(12)}) == "signing: checkpoint regressed");
  CHECK(checkpoint(signer, set, {note(13)}) == "signed");
}

TEST_CASE("a rotation does not make the signer forget its checkpoints", "[signing]") {
  SignerFixture signer;
  const SignedDocument one = signer->open_rotation(kDomain, "k1", {}).value().key_set;
  REQUIRE(checkpoint(signer, one, {note(10)}) == "signed");
  const SignedDocument two = signer->open_rotation(kDomain, "k2", one).value().key_set;
  CHECK(checkpoint(signer, two, {note(9)}) == "signing: checkpoint regressed");
  CHECK(checkpoint(signer, two, {note(11)}) == "signed");
}

TEST_CASE("a scope whose checkpoints this instance does not remember waits for adopt",
          "[signing]") {
  const auto forget = [](const SignerFixture& signer) {
    for (const auto& entry : std::filesystem::directory_iterator(signer.state())) {
      if (entry.path().extension() == ".checkpoint") {
        std::filesystem::remove(entry);
      }
    }
  };
  {
    SignerFixture signer;
    const SignedDocument set = signer->open_rotation(kDomain, "k1", {}).value().key_set;
    REQUIRE(checkpoint(signer, set, {note(10)}) == "signed");
    forget(signer);
    signer.restart();
    CHECK(checkpoint(signer, set, {note(11)}) == "signing: checkpoint not adopted");
    CHECK(checkpoint(signer, set, {note(0)}) == "signing: checkpoint not adopted");
    // Events do not wait for it.
    CHECK(signer->sign(kDomain, "", Purpose::kEvents, {testing::event_under("k1")}, set).ok());
  }
  SignerSettings settings;
  settings.adopt = true;
  SignerFixture signer(settings);
  const SignedDocument set = signer->open_rotation(kDomain, "k1", {}).value().key_set;
  REQUIRE(checkpoint(signer, set, {note(10)}) == "signed");
  forget(signer);
  signer.restart();
  CHECK(checkpoint(signer, set, {note(7)}) == "signed");
  CHECK(signer.notices.back().starts_with("signing_checkpoint_adopted: "));
  CHECK(checkpoint(signer, set, {note(6)}) == "signing: checkpoint regressed");
}

TEST_CASE("a damaged memory of checkpoints signs none", "[signing]") {
  SignerFixture signer;
  const SignedDocument set = signer->open_rotation(kDomain, "k1", {}).value().key_set;
  REQUIRE(checkpoint(signer, set, {note(10)}) == "signed");
  std::ofstream(signer.state() + "/domain-" + std::string(kDomain.substr(7)) + ".checkpoint")
      << "9 - x\n";
  signer.restart();
  CHECK(checkpoint(signer, set, {note(11)}) == "signing: internal error");
}

}  // namespace
}  // namespace plexsphere::signing
