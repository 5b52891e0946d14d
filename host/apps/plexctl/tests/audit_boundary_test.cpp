// Exports of a chain whose first entries have left: what the newest checkpoint lets leave, and what
// is missing without it.
#include "host/apps/plexctl/tests/audit_export.hpp"

using namespace plexsphere;
using namespace plexsphere::plexctl;

namespace {

// A chain of 600 entries of which 256 have left, signed at 300 and at 600.
struct PrunedChain {
  explicit PrunedChain(bool declared = true) {
    sdk::merkle::CompactRange tree(&sha256);
    for (std::size_t i = 0; i < all.records.size(); ++i) {
      const std::string hash = *sdk::hex_decode(all.records[i].at("entry_hash").get<std::string>());
      tree.append(sdk::merkle::leaf_hash(&sha256, hash));
      if (i + 1 == 256) {
        begins = {256, hash};
        peaks = tree.peaks();
      }
    }
    pruned.notes = {all.notes[0], all.key.note({kOrigin, 600, tree.root(), 1,
                                                declared ? begins : sdk::Beginning{}})};
    pruned.records.assign(all.records.begin() + 256, all.records.end());
  }
  void write(const Export& taken) const {
    json lines{{"seq", begins.seq}, {"entry_hash", sdk::hex_encode(begins.entry_hash)}};
    for (const std::string& peak : peaks) {
      lines["peaks"].push_back(sdk::hex_encode(peak));
    }
    std::ofstream(taken.path() / "begins.json") << lines.dump() << "\n";
  }

  Chain all{600, {300, 600}};
  Chain pruned{0, {}};
  sdk::Beginning begins;
  std::vector<std::string> peaks;
};

}  // namespace

TEST_CASE("a chain whose entries left as the newest checkpoint says is intact",
          "[plexctl][audit]") {
  const PrunedChain site;
  const Export taken(site.pruned);
  site.write(taken);
  const Run run = taken.verify({"--key", site.all.key.text()});
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(run.out ==
        "intact: 344 entries, 344 of them under 2 checkpoints; entries 1 to 256 had "
        "left, as the newest checkpoint says\n");
  test_support::TempDir kept;
  const auto earlier = [&](const std::string& note) {
    return taken.verify(
        {"--key", site.all.key.text(), "--earlier", kept.write("note", note).string()});
  };
  CHECK(earlier(site.all.notes[0]).code == 0);
  CHECK(earlier(Chain(200, {200}).notes[0]).code == 12);
}

TEST_CASE("entries that left without a signed word are missing", "[plexctl][audit]") {
  const PrunedChain site;
  Export taken(site.pruned);
  int code = 12;
  SECTION("nothing says where the chain begins") {}
  SECTION("the newest checkpoint lets none leave") {
    const PrunedChain undeclared(false);
    taken.edit("checkpoints.jsonl", [&](int number, const std::string& line) {
      return number == 2 ? undeclared.pruned.checkpoint_item(undeclared.pruned.notes[1]).dump()
                         : line;
    });
    site.write(taken);
  }
  SECTION("another entry before the first") {
    PrunedChain other;
    other.begins.entry_hash = std::string(32, 'x');
    other.write(taken);
    code = 10;
  }
  SECTION("another tree of what left") {
    PrunedChain other;
    other.peaks[0] = std::string(32, 'x');
    other.write(taken);
    code = 10;
  }
  SECTION("fewer roots than there are") {
    PrunedChain other;
    other.peaks.clear();
    other.write(taken);
  }
  const Run run = taken.verify({"--key", site.all.key.text()});
  INFO(run.err);
  CHECK(run.code == code);
}
