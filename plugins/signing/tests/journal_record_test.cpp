#include "domain/journal_record.hpp"

#include <catch2/catch.hpp>

namespace plexsphere::signing {
namespace {

using namespace std::chrono_literals;

const std::string kInstance = "000102030405060708090a0b0c0d0e0f";
const std::string kZeros(64, '0');

JournalRecord sample() {
  JournalRecord record;
  record.at = std::chrono::sys_time<std::chrono::milliseconds>(1767225600123ms);
  record.scope = "domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3";
  record.purpose = "events";
  record.key_id = "k-2026-01-abcdefgh";
  record.key_set = 2;
  record.messages = 3;
  record.digest = std::string(64, 'd');
  return record;
}

TEST_CASE("a record has one spelling and is read back from it", "[signing]") {
  const std::string text = journal_text(kInstance, 7, sample());
  CHECK(text == kInstance +
                    " 7 1767225600123 sign domain:0190a8b8-a0c0-7a0a-8a0a-a0a0a0a0a0a3 events "
                    "k-2026-01-abcdefgh ok 2 3 " +
                    std::string(64, 'd'));
  const std::string whole = text + " " + kZeros + " " + std::string(64, 'a');
  const auto line = parse_journal_line(whole);
  REQUIRE(line);
  CHECK(line->text == text);
  CHECK(line->seq == 7);
  CHECK(line->rpc == kRpcSign);
  CHECK(line->outcome == "ok");
  CHECK(line->previous == kZeros);
  CHECK(line->hash == std::string(64, 'a'));
}

TEST_CASE("what a caller sent is written down only if it is what it should be", "[signing]") {
  CHECK(journal_scope("platform") == "platform");
  CHECK(journal_scope("") == "*");
  CHECK(journal_scope("domain:x y\nforged line") == "?");
  CHECK(journal_key_id("k:1#a._/-") == "k:1#a._/-");
  CHECK(journal_key_id("") == "*");
  CHECK(journal_key_id("k 1") == "?");
  CHECK(journal_key_id(std::string(129, 'k')) == "?");
  CHECK(journal_outcome(FaultKind::kKeySetSuperseded) == "key_set_superseded");
  JournalRecord longest = sample();
  longest.rpc = kRpcForceCloseRotation;
  longest.key_id = std::string(kMaxKeyIdLength, 'k');
  longest.purpose = "checkpoints";
  longest.outcome = std::string(64, 'o');
  longest.at = std::chrono::sys_time<std::chrono::milliseconds>::max();
  longest.key_set = longest.messages = UINT64_MAX;
  const std::string line =
      journal_text(kInstance, UINT64_MAX, longest) + " " + kZeros + " " + kZeros;
  CHECK(line.size() < kMaxJournalLine);
  CHECK(parse_journal_line(line));
}

TEST_CASE("a line in another spelling is none", "[signing]") {
  const std::string good = journal_text(kInstance, 7, sample()) + " " + kZeros + " " + kZeros;
  REQUIRE(parse_journal_line(good));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string line = good;
    line.replace(line.find(from), from.size(), to);
    return line;
  };
  for (const std::string& bad :
       {std::string(), good + " ", " " + good, good + "\r", with(" 7 ", " 07 "), with(" 7 ", " 0 "),
        with(" 7 ", "  7 "), with(" sign ", " Sign "), with(" events ", " event "),
        with(" ok ", " OK "), with("dddd", "DDDD"), with("k-2026", "k,2026"),
        with("domain:", "Domain:"), with(" 3 ", " 99999999999999999999 ")}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_journal_line(bad));
  }
}

TEST_CASE("a header has one spelling", "[signing]") {
  const std::string text = journal_header_text(kInstance, 41, kZeros);
  CHECK(text == "plexsphere-signer-journal v1 " + kInstance + " 41 " + kZeros);
  const std::string whole = text + " " + std::string(64, 'c');
  const auto header = parse_journal_header(whole);
  REQUIRE(header);
  CHECK(header->text == text);
  CHECK(header->first_seq == 41);
  CHECK(header->check == std::string(64, 'c'));
  CHECK_FALSE(parse_journal_header(text));
  CHECK_FALSE(parse_journal_header(whole + " x"));
}

TEST_CASE("a torn line is a beginning of one, and nothing else is", "[signing]") {
  const std::string line = journal_text(kInstance, 7, sample()) + " " + kZeros + " " + kZeros;
  for (std::size_t length = 1; length <= line.size(); ++length) {
    CHECK(is_torn_line(line.substr(0, length)));
  }
  CHECK(is_torn_line(line.substr(0, 100) + std::string(4096, '\0')));
  CHECK(is_torn_line(std::string(10, '\0')));
  // The newline after a whole line, with one bit of it turned over.
  for (int bit = 0; bit < 8; ++bit) {
    CAPTURE(bit);
    CHECK_FALSE(is_torn_line(line + static_cast<char>('\n' ^ (1 << bit))));
  }
  CHECK_FALSE(is_torn_line(line + " more"));
  CHECK_FALSE(is_torn_line("\x80" + line.substr(0, 10)));
}

}  // namespace
}  // namespace plexsphere::signing
