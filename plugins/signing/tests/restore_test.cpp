// A log that was restored to an earlier point: what the signer signs then, and what it never does.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "app/sha256.hpp"
#include "domain/message_check.hpp"
#include "domain/restore_statement.hpp"
#include "permit_tool.hpp"
#include "signer_fixture.hpp"

namespace plexsphere::signing {
namespace {

using testing::kDomain;
using testing::kOtherDomain;
using testing::SignerFixture;

const std::string kRoot = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
const std::string kOtherRoot = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

std::string note(std::uint64_t size, int epoch = 1, const std::string& root = kRoot) {
  return "plexsphere/audit/" + std::string(kDomain) + "\n" + std::to_string(size) + "\n" + root +
         "\n" + (epoch > 1 ? "epoch " + std::to_string(epoch) + "\n" : "");
}

std::string statement(std::uint64_t before, std::uint64_t after, int epoch = 2,
                      const std::string& before_root = kRoot, std::string_view scope = kDomain) {
  return "plexsphere/audit/" + std::string(scope) + "\nrestored\nepoch " + std::to_string(epoch) +
         "\nbefore " + std::to_string(before) + " " + before_root + "\nafter " +
         std::to_string(after) + " " + kRoot + "\ndeclared 1767225600\nreason nightly backup\n";
}

// A signer that has signed a checkpoint of 10 entries.
struct Site {
  Site() { REQUIRE(sign(Purpose::kCheckpoints, note(10)) == "signed"); }

  std::string sign(Purpose purpose, const std::string& message) {
    const auto result = signer->sign(kDomain, "", purpose, {message}, set);
    cause = result.ok() ? "" : result.fault().cause;
    return result.ok() ? "signed" : std::string(status_detail(result.fault().kind));
  }
  std::string restore(const std::string& message) { return sign(Purpose::kRestores, message); }
  int permit(const std::string& text) {
    std::istringstream in(text);
    std::ostringstream all;
    const int code = permit_tool::run({signer.state()}, in, all, all);
    told = all.str();
    return code;
  }
  std::string file(const std::string& kind) const {
    std::ifstream in(signer.state() + "/domain-" + std::string(kDomain.substr(7)) + kind);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  SignerFixture signer;
  SignedDocument set = signer->open_rotation(kDomain, "k1", {}).value().key_set;
  std::string cause;
  std::string told;
};

TEST_CASE("a restore is signed once its statement is permitted, and begins an epoch", "[signing]") {
  Site site;
  REQUIRE(site.restore(statement(10, 4)) == "signing: restore not permitted");
  CHECK(site.sign(Purpose::kCheckpoints, note(5)) == "signing: checkpoint regressed");
  REQUIRE(site.permit(statement(10, 4)) == 0);
  CHECK(site.told == "permitted: the log of " + std::string(kDomain) +
                         " may go on from 4 entries instead of 10, in epoch 2\n"
                         "reason: nightly backup\n");
  const auto result =
      site.signer->sign(kDomain, "", Purpose::kRestores, {statement(10, 4)}, site.set);
  REQUIRE(result.ok());
  CHECK(testing::verifies(result.value().public_key, statement(10, 4),
                          result.value().signatures.front()));
  // It is the key of checkpoints, among which the statement stands.
  const auto view = site.signer->public_key(kDomain, "k1", Purpose::kCheckpoints, site.set);
  CHECK(view.value().public_key == result.value().public_key);
  CHECK(site.file(".restored-2") == statement(10, 4));
  CHECK(site.file(".restore").empty());
  CHECK(site.signer.notices.back() ==
        "signing_restore_declared: " + std::string(kDomain) +
            " goes on from 4 entries instead of 10 entries in epoch 2: nightly backup");

  const bool restarted = GENERATE(false, true);
  if (restarted) {
    site.signer.restart();
  }
  CHECK(site.sign(Purpose::kCheckpoints, note(5)) == "signing: checkpoint regressed");
  CHECK(site.sign(Purpose::kCheckpoints, note(3, 2)) == "signing: checkpoint regressed");
  CHECK(site.sign(Purpose::kCheckpoints, note(4, 2, kOtherRoot)) ==
        "signing: checkpoint regressed");
  CHECK(site.restore(statement(10, 4)) == "signed");  // an answer may have been lost
  CHECK(site.sign(Purpose::kCheckpoints, note(5, 2)) == "signed");
  // The log of before is over, however large it was.
  CHECK(site.sign(Purpose::kCheckpoints, note(11)) == "signing: checkpoint regressed");
  CHECK(site.cause == "a checkpoint of size 5 of " + std::string(kDomain) +
                          " was signed before, and this one has epoch 1, and the present one is 2");
  const auto last = site.signer->last_checkpoint(kDomain, site.set).value();
  CHECK(last == SeenCheckpoint{5, kRoot, 2, hex_of(sha256(statement(10, 4)))});
}

TEST_CASE("a permit is for one statement, word for word, and for what was signed last",
          "[signing]") {
  Site site;
  SECTION("of another text") {
    REQUIRE(site.permit(statement(10, 4)) == 0);
    CHECK(site.restore(statement(10, 5)) == "signing: restore not permitted");
    CHECK(site.restore(statement(10, 4)) == "signed");
  }
  SECTION("of a log that has grown since") {
    REQUIRE(site.permit(statement(10, 4)) == 0);
    REQUIRE(site.sign(Purpose::kCheckpoints, note(11)) == "signed");
    CHECK(site.restore(statement(10, 4)) == "signing: checkpoint regressed");
    CHECK(site.cause == "the last checkpoint signed of " + std::string(kDomain) +
                            " has size 11 in epoch 1, and the statement names another");
  }
  SECTION("of another last checkpoint, or another epoch") {
    for (const std::string& wrong :
         {statement(10, 4, 2, kOtherRoot), statement(9, 4), statement(10, 4, 3)}) {
      REQUIRE(site.permit(wrong) == 0);
      CHECK(site.restore(wrong) == "signing: checkpoint regressed");
    }
  }
  SECTION("of another scope") {
    const std::string other = statement(10, 4, 2, kRoot, kOtherDomain);
    REQUIRE(site.permit(other) == 0);
    CHECK(site.restore(other) == "signing: scope mismatch");
    CHECK(site.restore(statement(10, 4)) == "signing: restore not permitted");
  }
  SECTION("used once") {
    REQUIRE(site.permit(statement(10, 4)) == 0);
    REQUIRE(site.restore(statement(10, 4)) == "signed");
    REQUIRE(site.sign(Purpose::kCheckpoints, note(10, 2)) == "signed");
    CHECK(site.restore(statement(10, 4)) == "signed");  // the same words, which change nothing
    CHECK(site.sign(Purpose::kCheckpoints, note(9, 2)) == "signing: checkpoint regressed");
    CHECK(site.restore(statement(10, 4, 3)) == "signing: restore not permitted");
  }
}

TEST_CASE("a permit's tool takes statements and nothing else", "[signing]") {
  Site site;
  CHECK(site.permit(note(4)) == permit_tool::kRefused);
  CHECK(site.told.find("a restore statement is seven lines") != std::string::npos);
  CHECK(site.permit("") == permit_tool::kRefused);
  CHECK(site.permit(statement(10, 4, 2, kRoot, "nobody")) == permit_tool::kRefused);
  std::istringstream in(statement(10, 4));
  std::ostringstream out;
  CHECK(permit_tool::run({}, in, out, out) == permit_tool::kUnusable);
  CHECK(permit_tool::run({"/nowhere/at/all"}, in, out, out) == permit_tool::kRefused);
}

TEST_CASE("what was signed last is told of a scope that has a key", "[signing]") {
  SignerFixture signer;
  CHECK(signer->last_checkpoint(kDomain, {}).fault().kind == FaultKind::kKeyNotFound);
  const SignedDocument set = signer->open_rotation(kDomain, "k1", {}).value().key_set;
  CHECK(signer->last_checkpoint(kDomain, set).value() == SeenCheckpoint{});
  REQUIRE(signer->sign(kDomain, "", Purpose::kCheckpoints, {note(7)}, set).ok());
  CHECK(signer->last_checkpoint(kDomain, set).value() == SeenCheckpoint{7, kRoot});
  CHECK(signer->last_checkpoint(kDomain, {}).fault().kind == FaultKind::kKeySetSuperseded);
}

TEST_CASE("a restore statement has one spelling, and none that is also a checkpoint's",
          "[signing]") {
  const std::string good = statement(10, 4);
  const RestoreStatement read = check_restore(good).value();
  CHECK(read.epoch == 2);
  CHECK(read.before == TreeHead{10, kRoot});
  CHECK(read.after == TreeHead{4, kRoot});
  CHECK(read.declared_at == 1767225600);
  CHECK(read.reason == "nightly backup");
  CHECK_FALSE(check_checkpoint(good).ok());
  CHECK_FALSE(check_restore(note(10)).ok());
  CHECK(check_restore(statement(10, 10)).ok());
  const auto changed = [&](const std::string& what, const std::string& by) {
    std::string text = good;
    return text.replace(text.find(what), what.size(), by);
  };
  for (const std::string& bad :
       {std::string(), changed("restored\n", ""), changed("restored", "7"),
        changed("epoch 2", "epoch 1"), changed("epoch 2", "epoch 02"),
        changed("before 10 ", "before 3 "), changed("before 10 ", "before 10  "),
        changed("declared 1767225600", "declared -1"), changed("reason nightly backup", "reason "),
        changed("reason nightly backup", "reason  x"),
        changed("reason nightly backup", "reason x "),
        changed("nightly backup", std::string(201, 'x')), changed("backup", "b\xc3\xa4"),
        changed("plexsphere/audit", "\nplexsphere/audit"), good + "more\n",
        good.substr(0, good.size() - 1)}) {
    CAPTURE(bad);
    CHECK_FALSE(check_restore(bad).ok());
  }
}

}  // namespace
}  // namespace plexsphere::signing
