// The chain's export: what is done to its files, and what `plexctl audit verify` calls it.
#include <catch2/catch.hpp>

#include "tamper/attacks.hpp"
#include "tamper/export_attacks.hpp"

namespace plexsphere::tamper {
namespace {

std::string intact(std::size_t entries, std::size_t checkpoints) {
  return "intact: " + std::to_string(entries) + " entries, " + std::to_string(entries) +
         " of them under " + std::to_string(checkpoints) + " checkpoints\n";
}

// Whoever exports it then, and an auditor with the signer's key.
Outcome export_and_verify() {
  audit::test::LiveAudit core(site().origin().database(), 4, "verify_interval = \"24h\"\n");
  core.add_domain(site().chain());
  static int number = 0;
  ExportCopy copy(site().origin());
  const auto taken =
      site().origin().take_export(core, site().chain(), "attacked" + std::to_string(++number));
  copy.chain = lines_of(taken / "chain.json");
  copy.checkpoints = lines_of(taken / "checkpoints.jsonl");
  copy.entries = lines_of(taken / "entries.jsonl");
  return copy.verify();
}

}  // namespace

TEST_CASE("an export that nobody touched is intact", "[audit][pg][tamper]") {
  const ExportCopy copy(site().origin());
  const auto size = static_cast<std::size_t>(site().checkpoints().back());
  CHECK(copy.verify().text == intact(size, site().checkpoints().size()));
  CHECK(copy.exit_code() == 0);
}

TEST_CASE("an export that was changed is called what it is, with the entry",
          "[audit][pg][tamper]") {
  for (const ExportAttack& attack : export_attacks(site().origin())) {
    INFO(attack.name);
    ExportCopy copy(site().origin());
    attack.change(copy);
    const Outcome outcome = copy.verify();
    CHECK(outcome.code == attack.outcome.code);
    CHECK_THAT(outcome.text, Catch::StartsWith(attack.outcome.text));
  }
}

TEST_CASE("an export set back to an earlier checkpoint is found by who has kept a later note",
          "[audit][pg][tamper]") {
  ExportCopy copy(site().origin());
  const std::size_t all = copy.checkpoints.size();
  const std::string newest = note_of(copy.checkpoints.back());
  roll_back(copy, all - 1);
  const auto size = static_cast<std::size_t>(site().checkpoints()[all - 2]);
  CHECK(copy.verify().text == intact(size, all - 1));
  const Outcome outcome = copy.verify({newest});
  CHECK(outcome.code == 11);
  CHECK_THAT(outcome.text, Catch::StartsWith("truncated: a note from before covers"));
}

TEST_CASE("the program ends with the code of what it found", "[audit][pg][tamper]") {
  ExportCopy tampered(site().origin());
  std::swap(tampered.entries[3], tampered.entries[4]);
  CHECK(tampered.exit_code() == 10);
  ExportCopy truncated(site().origin());
  truncated.entries.pop_back();
  CHECK(truncated.exit_code() == 11);
  ExportCopy incomplete(site().origin());
  incomplete.checkpoints.clear();
  CHECK(incomplete.exit_code() == 12);
}

TEST_CASE("a chain that was attacked in the database does not become sound by being exported",
          "[audit][pg][tamper]") {
  Site& chain = site();
  const std::string a = "'" + chain.chain().text() + "'";
  const auto outcome = [&](const std::string& sql) {
    chain.attack(sql);
    const Outcome found = export_and_verify();
    chain.undo();
    return found;
  };
  const std::string forged = "SELECT kept.say(" + a + ", 500, 'forged')";
  CHECK_THAT(outcome(forged).text, Catch::StartsWith("tampered: the bytes of entry 500 are not"));
  CHECK_THAT(outcome(forged + "; SELECT kept.rehash(" + a + ", 500)").text,
             Catch::StartsWith("tampered: the first "));
  CHECK_THAT(outcome("DELETE FROM audit.audit_log_entry WHERE seq = 500 AND domain_id = " + a).text,
             Catch::StartsWith("incomplete: entry 500 is missing"));
  CHECK_THAT(outcome("DELETE FROM audit.audit_log_entry WHERE seq > 900 AND domain_id = " + a).text,
             Catch::StartsWith("truncated: "));
  CHECK_THAT(outcome("UPDATE audit.audit_checkpoint SET root_hash = sha256(root_hash) WHERE "
                     "domain_id = " +
                     a)
                 .text,
             Catch::StartsWith("tampered: what stands beside the note of checkpoint 1"));
}

}  // namespace plexsphere::tamper
