#include "journal_tool.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "golden_journal.hpp"
#include "support/temp_dir.hpp"

namespace plexsphere::signing::journal_tool {
namespace {

namespace fs = std::filesystem;

const std::string kPlace = "journal:" + std::string(testing::kGoldenInstance) + ":";
const std::string kHeads[] = {"334a6f542a071b16ee2dc76b4342533071539375977c2a93ee1b290c4910d0a6",
                              "75168563f950c38f1afb594c4afd4abc04d4f23715ff8fda743efb99631f777d",
                              "1c75407583878a661c2c476837cb3a0a5cb1bb237499da54cefdd10bfc117b71"};
const std::string kFirst = kPlace + "1:" + kHeads[0] + "\n";
const std::string kSecond = kPlace + "2:" + kHeads[1] + "\n";
const std::string kThird = kPlace + "3:" + kHeads[2] + "\n";
const std::string kSummary = "instance " + std::string(testing::kGoldenInstance) +
                             "\nfirst 1\nlast 3\nentries 3\nsegments 1\nhead " + kHeads[2] + "\n";

// The golden journal in a state directory, and the program's answers about it.
struct Desk {
  Desk() {
    fs::create_directory(journal);
    write(std::string(testing::kGoldenHeader) + std::string(testing::kGoldenRecords));
  }
  void write(const std::string& bytes) const {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  int run(const std::vector<std::string>& arguments, const std::string& in = {}) {
    std::istringstream input(in);
    std::ostringstream output;
    std::ostringstream errors;
    const int code = journal_tool::run(arguments, input, output, errors);
    out = output.str();
    err = errors.str();
    return code;
  }
  int account(const std::string& places) {
    return run({"verify", state, "--account", "-"}, places);
  }

  test_support::TempDir directory;
  std::string state = directory.path().string();
  std::string journal = state + "/journal";
  std::string file = journal + "/00000000000000000001.journal";
  std::string out;
  std::string err;
};

TEST_CASE("an intact journal is summed up, by any path to it", "[signing]") {
  Desk desk;
  for (const std::string& path : {desk.state, desk.journal, desk.file}) {
    CAPTURE(path);
    CHECK(desk.run({"verify", path}) == kIntact);
    CHECK(desk.out == kSummary);
    CHECK(desk.err.empty());
  }
}

TEST_CASE("damage is refused with its place", "[signing]") {
  Desk desk;
  std::string bytes = std::string(testing::kGoldenHeader) + std::string(testing::kGoldenRecords);
  bytes[bytes.find(" events ") + 1] = 'E';
  desk.write(bytes);
  CHECK(desk.run({"verify", desk.state}) == kDamaged);
  CHECK(desk.out.empty());
  CHECK(desk.err ==
        desk.file + ": damaged at line 3, byte " +
            std::to_string(testing::kGoldenHeader.size() + testing::kGoldenRecords.find('\n') + 1) +
            ": this is no record\n");
}

TEST_CASE("a torn last record is told and does no harm", "[signing]") {
  Desk desk;
  desk.write(std::string(testing::kGoldenHeader) + std::string(testing::kGoldenRecords) + "0001");
  CHECK(desk.run({"verify", desk.state}) == kIntact);
  CHECK(desk.out.starts_with(kSummary + "torn 4 bytes after byte "));
}

TEST_CASE("what cannot be read or was not meant is another matter than damage", "[signing]") {
  Desk desk;
  const std::string absent = desk.state + "/absent";
  CHECK(desk.run({"verify", absent}) == kUnusable);
  CHECK(desk.err == absent + ": cannot be opened: No such file or directory\n");
  fs::create_directory(absent);
  CHECK(desk.run({"verify", absent}) == kUnusable);
  CHECK(desk.err == absent + ": holds no segment of a journal\n");
  CHECK(desk.run({"verify", desk.state, "--account", desk.state + "/none"}) == kUnusable);
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
           {}, {"verify"}, {"check", desk.state}, {"verify", desk.state, "--account"}}) {
    CHECK(desk.run(wrong) == kUnusable);
    CHECK(desk.err.starts_with("usage: "));
  }
  CHECK(desk.account("journal:1:2:3\n") == kUnusable);
  CHECK(desk.err == "-: line 1 is no place of a journal\n");
  CHECK(desk.run({"--help"}) == kIntact);
}

TEST_CASE("records and audit rows are held against one another", "[signing]") {
  Desk desk;
  // Rows come in any order, with other steps beside the places, and may repeat one.
  CHECK(desk.account(kThird + "refused:invariant_violation\nunanswered:2\n\n" + kFirst + kSecond +
                     kFirst) == kIntact);
  CHECK(desk.out == kSummary);

  CHECK(desk.account(kFirst + kThird) == kUnaccounted);
  CHECK(desk.out.starts_with("unaccounted " + std::string(testing::kGoldenInstance) +
                             " 2 1767225600125 sign "));
  CHECK(desk.account("") == kUnaccounted);

  CHECK(desk.account(kFirst + kSecond + kThird + kPlace + "2:" + kHeads[0] + "\n") == kUnaccounted);
  CHECK(desk.out ==
        "contradicted 2 rows say " + kHeads[0] + " and the journal " + kHeads[1] + "\n" + kSummary);

  CHECK(desk.account(kFirst + kSecond + kThird + kPlace + "4:" + kHeads[0] + "\n") == kUnaccounted);
  CHECK(desk.out == "missing 4 is in a row and the journal ends at 3\n" + kSummary);

  const std::string other = "journal:" + std::string(32, 'f') + ":1:" + kHeads[0] + "\n";
  CHECK(desk.account(kFirst + kSecond + kThird + other) == kIntact);
  CHECK(desk.out == "other journal " + std::string(32, 'f') + " has 1 places\n" + kSummary);
}

}  // namespace
}  // namespace plexsphere::signing::journal_tool
