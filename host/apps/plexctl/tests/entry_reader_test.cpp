#include "host/apps/plexctl/entry_reader.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "plexsphere/sdk/encoding.hpp"
#include "support/temp_dir.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;

namespace {

const std::string kHash(64, '0');
const std::string kZero(32, '\0');

std::string line_of(std::uint64_t seq, const std::string& bytes) {
  return R"({"seq":)" + std::to_string(seq) + R"(,"prev_hash":")" + kHash + R"(","entry_hash":")" +
         kHash + R"(","canonical_bytes":")" + sdk::base64_encode(bytes) + R"("})";
}

// "seq prev entry bytes" of a line, hashes as "zero" or "".
std::string read(const std::string& line) {
  const auto entry = entry_of_line(line);
  const auto hash = [](const std::string& raw) { return raw == kZero ? std::string("zero") : raw; };
  return entry ? std::to_string(entry->seq) + " " + hash(entry->prev_hash) + " " +
                     hash(entry->entry_hash) + " " + entry->canonical_bytes
               : "none";
}

}  // namespace

TEST_CASE("a line is the same entry in whatever JSON it is written", "[plexctl][audit]") {
  const std::string line = line_of(7, "bytes");
  CHECK(read(line) == "7 zero zero bytes");
  std::string spaced = line;
  spaced.insert(1, " ");
  CHECK(read(spaced) == "7 zero zero bytes");
  std::string escaped = line;
  escaped.replace(escaped.find("seq"), 1, "\\u0073");
  CHECK(read(escaped) == "7 zero zero bytes");
  CHECK(read(R"({"more":[],)" + line.substr(1)) == "7 zero zero bytes");
  CHECK(read(R"({"canonical_bytes":"eA==","entry_hash":")" + kHash + R"(","prev_hash":")" + kHash +
             R"(","seq":1})") == "1 zero zero x");
}

TEST_CASE("what a line lacks fits no chain, and a line that is none is told", "[plexctl][audit]") {
  CHECK(read("{}") == "0   ");
  CHECK(read(R"({"seq":-1,"prev_hash":"zz","entry_hash":7,"canonical_bytes":"?"})") == "0   ");
  CHECK(read(R"({"seq":1e3})") == "0   ");
  CHECK(read(R"({"seq":007})") == "none");
  for (const std::string line : {"", "[]", "7", "null", "{\"seq\":1", "{\"seq\":1}}", "\"x\""}) {
    INFO(line);
    CHECK(read(line) == "none");
  }
  CHECK(read(line_of(1, std::string(kMostLine, 'x'))) == "none");
}

TEST_CASE("entries come in order, however many, and a fault after those before it",
          "[plexctl][audit]") {
  const test_support::TempDir files;
  const auto path = files.path() / "entries.jsonl";
  std::ofstream out(path);
  for (std::uint64_t seq = 1; seq <= 10'000; ++seq) {
    out << line_of(seq, "x") << "\n";
  }
  out << "no entry\n";
  out.close();
  EntryReader entries(path);
  std::uint64_t last = 0;
  const auto read_all = [&] {
    for (auto batch = entries.next(); !batch.empty(); batch = entries.next()) {
      for (const ExportedEntry& entry : batch) {
        REQUIRE(entry.seq == ++last);
      }
    }
  };
  CHECK_THROWS_WITH(read_all(), Catch::Contains("line 10001 of"));
  CHECK(last == 10'000);
  (void)EntryReader(path).next();  // and whoever wants no more is not waited for
  CHECK_THROWS_WITH(EntryReader(files.path() / "none").next(), Catch::Contains("cannot be read"));
}
